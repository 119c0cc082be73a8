"use strict";
(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const scenarios = all(".scenario");
  const tiles = all(".tile");
  const words = document.getElementById("words");
  const sides = all(".sides input");
  const texts = new Map(scenarios.map((one) => [one, one.textContent.toLowerCase()]));

  function filter() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = tiles.filter((tile) => tile.getAttribute("aria-pressed") === "true").map((tile) => tile.dataset.verdict);
    const allowed = sides.filter((box) => box.checked).map((box) => box.value);
    let left = 0;
    for (const one of scenarios) {
      const fits = (!verdicts.length || verdicts.includes(one.dataset.verdict))
        && allowed.includes(one.dataset.side)
        && wanted.every((word) => texts.get(one).includes(word));
      one.hidden = !fits;
      left += fits;
    }
    for (const group of all(".group")) group.hidden = !group.querySelector(".scenario:not([hidden])");
    document.getElementById("none-left").hidden = left > 0;
  }

  tiles.forEach((tile) => tile.addEventListener("click", () => {
    tile.setAttribute("aria-pressed", String(tile.getAttribute("aria-pressed") !== "true"));
    filter();
  }));
  words.addEventListener("input", filter);
  sides.forEach((box) => box.addEventListener("change", filter));
  document.querySelector(".filter").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("open-all").addEventListener("click", () => scenarios.forEach((one) => { one.open = true; }));
  document.getElementById("close-all").addEventListener("click", () => scenarios.forEach((one) => { one.open = false; }));

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches(".toggle")) {
      const message = button.closest(".message");
      const raw = message.querySelector(".rawtext");
      raw.hidden = !raw.hidden;
      message.querySelector(".pretty").hidden = !raw.hidden;
      button.textContent = raw.hidden ? "raw" : "pretty";
    }
    if (button.matches(".copy")) {
      navigator.clipboard.writeText(button.dataset.copy).then(() => {
        button.textContent = "copied";
        setTimeout(() => { button.textContent = "copy as curl"; }, 1500);
      });
    }
  });

  // A link to a step opens whatever hides it.
  function reveal() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();

  // On paper, everything is open; afterwards it is as it was.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details").filter((one) => !one.open);
    closed.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((one) => { one.open = false; }));
})();
