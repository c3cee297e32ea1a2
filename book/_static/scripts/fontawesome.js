// Takes the place of the theme's script of the same name, 1.5 MB of icons of which the site uses a
// dozen; those are drawn in course.css.
