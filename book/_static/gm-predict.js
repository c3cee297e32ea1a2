// Predict, then look: what autograder/course/figures/predict.py wrote answers the choice one makes.
// The answers are those that stand folded below the choices; without this script one unfolds them.
document.querySelectorAll(".gm-predict").forEach((box) => {
  const told = box.querySelector(".gm-told");
  const answers = box.querySelectorAll("details li");
  box.addEventListener("change", ({ target }) => {
    const [, mark, because] = answers[target.value].children;
    const look = document.createElement("a");
    look.href = `#${told.dataset.look}`;
    look.textContent = "Look at the result";
    told.replaceChildren(mark.cloneNode(true), " ", because.cloneNode(true), " ", look);
    box.dataset.chosen = "";
  });
});
