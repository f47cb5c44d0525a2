"use strict";
// Filtering and search. The page is complete without it.
(() => {
  const form = document.getElementById("filter");
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
  if (!form) return;
  const rows = [...document.querySelectorAll("article.guideline tbody tr")].map((row) => {
    const card = row.closest("article");
    return { row, card, text: (card.querySelector("header").textContent + " " + row.textContent).toLowerCase() };
  });
  const cards = [...document.querySelectorAll("article.guideline")];
  const checked = (name) => new Set([...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value));
  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = checked("severity");
    const states = checked("state");
    const seen = new Set();
    let shown = 0;
    for (const { row, card, text } of rows) {
      const on = severities.has(row.dataset.severity) && states.has(row.dataset.state) && words.every((word) => text.includes(word));
      row.hidden = !on;
      if (on) { shown += 1; seen.add(card); }
    }
    for (const card of cards) card.hidden = !seen.has(card);
    document.getElementById("nothing").hidden = shown > 0;
    document.getElementById("shown").textContent = `${shown} of ${rows.length} shown`;
  };
  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
