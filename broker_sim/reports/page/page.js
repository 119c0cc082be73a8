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
      const [pretty, raw] = button.closest(".message").querySelectorAll("pre");
      raw.hidden = !raw.hidden;
      pretty.hidden = !raw.hidden;
      button.textContent = raw.hidden ? "raw" : "pretty";
    }
    if (button.matches(".copy")) {
      navigator.clipboard.writeText(curl(button.closest(".exchange"))).then(() => {
        button.textContent = "copied";
        setTimeout(() => { button.textContent = "copy as curl"; }, 1500);
      });
    }
  });

  // A message is laid out when it is first looked at.
  function show(exchange) {
    if (exchange.dataset.shown) return;
    exchange.dataset.shown = "yes";
    for (const raw of exchange.querySelectorAll(".message > pre")) {
      const pretty = layOut(raw.textContent);
      if (!pretty) continue;
      raw.before(pretty);
      raw.hidden = true;
      const button = element("button", "toggle", "raw");
      button.type = "button";
      raw.closest(".message").querySelector(".message-head").append(button);
    }
  }
  document.addEventListener("toggle", (event) => {
    if (event.target.matches(".exchange") && event.target.open) show(event.target);
  }, true);
  all(".exchange[open]").forEach(show);

  function element(name, className, ...inside) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...inside);
    return made;
  }

  // XML without its namespaces' noise and JSON, both indented; null for anything else.
  function layOut(text) {
    const lines = text.trimStart().startsWith("<") ? xmlLines(text) : jsonLines(text);
    return lines && element("pre", "pretty", ...lines.map(([depth, ...parts]) => {
      const line = element("span", "l", ...parts, "\n");
      line.style.setProperty("--depth", depth);
      return line;
    }));
  }

  function xmlLines(text) {
    const root = new DOMParser().parseFromString(text, "text/xml").documentElement;
    return !root || root.querySelector("parsererror") || root.nodeName === "parsererror" ? null : [...nodeLines(root, 0)];
  }

  function* nodeLines(node, depth) {
    const name = () => element("span", "n", node.localName);
    const attributes = Array.from(node.attributes).filter((one) => one.prefix !== "xmlns" && one.name !== "xmlns")
      .flatMap((one) => [" ", element("span", "a", one.localName), '="', element("span", "v", one.value), '"']);
    const inner = Array.from(node.children);
    const said = node.textContent.trim();
    if (inner.length) {
      yield [depth, "<", name(), ...attributes, ">"];
      for (const child of inner) yield* nodeLines(child, depth + 1);
      yield [depth, "</", name(), ">"];
    } else if (said) yield [depth, "<", name(), ...attributes, ">", element("span", "v", said), "</", name(), ">"];
    else yield [depth, "<", name(), ...attributes, "/>"];
  }

  function jsonLines(text) {
    let value;
    try { value = JSON.parse(text); } catch { return null; }
    return JSON.stringify(value, null, 1).split("\n").map((line) => {
      const [, indent, key, rest] = line.match(/^( *)("(?:[^"\\]|\\.)*": )?(.*)$/);
      return [indent.length, ...(key ? [element("span", "n", key.slice(0, -2)), ": "] : []), element("span", "v", rest)];
    });
  }

  function curl(exchange) {
    const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
    const said = (selector) => exchange.querySelector(selector)?.textContent;
    const body = exchange.querySelector(".request pre:last-of-type");
    const words = ["curl", "-sS", "-X", said(".method")];
    if (said(".type")) words.push("-H", quoted(`Content-Type: ${said(".type")}`));
    if (!body) return [...words, quoted(said(".url"))].join(" ");
    if (!("hex" in body.dataset)) return [...words, "--data-binary", quoted(body.textContent), quoted(said(".url"))].join(" ");
    return `printf ${quoted(body.textContent)} | xxd -r -p | ${[...words, "--data-binary @-", quoted(said(".url"))].join(" ")}`;
  }

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
