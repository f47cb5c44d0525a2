"use strict";
// Search and printing. The guide is complete without it.
(() => {
  const root = document.currentScript.dataset.root;
  const form = document.querySelector("form.search");
  const input = form.querySelector("input");
  const panel = form.querySelector(".found");
  const list = panel.querySelector("ul");
  const number = panel.querySelector("p");
  const MOST = 14;
  let pages = null;
  let asked = false;

  // The index calls this when it has been read.
  window.seawallIndex = (entries) => {
    pages = entries.map(([path, title, kind, id, words]) => ({
      path: path.endsWith("/") ? `${path}${id}.html` : path, title, kind, id, low: title.toLowerCase(), name: id.toLowerCase(), joined: id.toLowerCase().replaceAll("-", ""), words: words.toLowerCase(),
    }));
    answer();
  };
  const read = () => {
    if (asked) return;
    asked = true;
    const script = document.createElement("script");
    script.src = root + "search-index.js";
    document.head.append(script);
  };

  // The better a page answers one word, the more; 0 where it does not.
  const worth = (page, word) => {
    if (page.name === word) return 60;
    const at = page.low.indexOf(word);
    if (at === 0) return 40;
    if (at > 0) return /\W/.test(page.low[at - 1]) ? 25 : 8;
    if (page.name.includes(word) || page.joined.includes(word)) return 15;
    const within = page.words.indexOf(word);
    if (within < 0) return 0;
    return within === 0 || /\W/.test(page.words[within - 1]) ? 4 : 1;
  };
  const kinds = { critical: 3, high: 2.5, medium: 2, low: 1.5, topic: 4, chapter: 4, option: 1, step: 1, detection: 1, framework: 2, list: 2 };
  const find = (words) => {
    const found = [];
    for (const page of pages) {
      let sum = 0;
      for (const word of words) {
        const one = worth(page, word);
        if (one === 0) { sum = 0; break; }
        sum += one;
      }
      // Controls of frameworks are many, and lead on to guidelines.
      if (sum > 0) found.push([page.kind === "control" ? sum * 0.4 : sum + kinds[page.kind], page]);
    }
    return found.sort((one, other) => other[0] - one[0] || (one[1].title < other[1].title ? -1 : 1));
  };
  const marked = (text, words) => {
    const low = text.toLowerCase();
    const parts = [];
    let at = 0;
    while (at < text.length) {
      let next = null;
      for (const word of words) {
        const start = low.indexOf(word, at);
        if (start >= 0 && (next === null || start < next[0])) next = [start, word.length];
      }
      if (next === null) break;
      parts.push(text.slice(at, next[0]));
      const mark = document.createElement("mark");
      mark.textContent = text.slice(next[0], next[0] + next[1]);
      parts.push(mark);
      at = next[0] + next[1];
    }
    parts.push(text.slice(at));
    return parts;
  };
  const answer = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    panel.hidden = words.length === 0;
    if (panel.hidden) return;
    if (pages === null) { number.textContent = "Reading the index …"; return; }
    const found = find(words);
    list.replaceChildren(...found.slice(0, MOST).map(([, page]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = root + page.path;
      const kind = document.createElement("span");
      kind.className = "kind";
      kind.textContent = page.kind;
      const title = document.createElement("span");
      title.className = "title";
      title.append(...marked(page.title, words));
      link.append(kind, title);
      if (page.id) {
        const id = document.createElement("code");
        id.append(...marked(page.id, words));
        link.append(id);
      }
      item.append(link);
      return item;
    }));
    number.textContent = found.length === 0 ? "Nothing has these words."
      : found.length > MOST ? `The best ${MOST} of ${found.length}` : found.length === 1 ? "1 page" : `${found.length} pages`;
  };

  form.hidden = false;
  input.addEventListener("focus", read, { once: true });
  input.addEventListener("input", () => { read(); answer(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
  // Arrows walk through what was found, Escape goes back.
  form.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape") {
      event.preventDefault();
      if (at < 0) input.value = "";
      panel.hidden = at < 0;
      input.focus();
    } else if (event.key === "ArrowDown" && !panel.hidden) {
      event.preventDefault();
      links[Math.min(at + 1, links.length - 1)]?.focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      if (at === 0) input.focus(); else links[at - 1].focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    event.preventDefault();
    input.focus();
  });
  document.addEventListener("click", (event) => { if (!form.contains(event.target)) panel.hidden = true; });
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details:not(.long)")) part.open = true;
  });
})();
