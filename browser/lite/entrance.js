// The page that leads to the notebooks: opens the one that its address names, and lists what is kept.
(async () => {
  "use strict";
  const { release } = document.currentScript?.dataset ?? document.querySelector("script[data-release]").dataset;
  const name = new URLSearchParams(location.search).get("open");
  const link = [...document.querySelectorAll(".gm-notebooks a")].find(({ dataset }) => dataset.name === name);
  if (link) {
    location.replace(link.href);
    return;
  }
  const works = await window.gmLite.works().catch(() => []);
  const list = document.querySelector("#kept ul");
  for (const work of works) {
    const item = document.createElement("li"), button = document.createElement("button"), text = document.createElement("span");
    const time = new Date(work.modified).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    text.textContent = `${work.name}, ${time}${work.release === release ? work.aside ? ", set aside" : "" : `, release ${work.release}`}`;
    button.type = "button";
    button.textContent = "Download";
    button.setAttribute("aria-label", `Download ${text.textContent}`);
    button.onclick = async () => window.gmLite.download(`${work.name}.ipynb`, await window.gmLite.read(work.release, work.path));
    item.append(text, button);
    list.append(item);
  }
  document.querySelector("#kept").hidden = !works.length;
})();
