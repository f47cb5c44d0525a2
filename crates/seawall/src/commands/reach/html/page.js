"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const nodes = data.nodes, conns = data.conns;
  const el = (name, text, cls) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (cls) made.className = cls;
    return made;
  };
  const set = (text) => {
    const found = new Set();
    for (const run of (text || "").split(" ")) {
      if (!run) continue;
      const [first, last] = run.split("-").map(Number);
      for (let at = first; at <= (last ?? first); at += 1) found.add(at);
    }
    return found;
  };
  const rows = data.rows.map((text) => {
    if (text === null) return null;
    const row = new Int32Array(nodes.length);
    let at = 0;
    for (const run of text.split(" ")) {
      const [conn, count] = run.split("*").map(Number);
      row.fill(conn, at, at + count);
      at += count;
    }
    return row;
  });
  for (const policy of data.policies) {
    policy.selects = set(policy.selects);
    for (const side of ["in", "out"]) for (const rule of policy[side] || []) {
      rule.sure = set(rule.sure);
      rule.may = set(rule.may);
    }
  }
  const label = (at) => (nodes[at].ns ? nodes[at].ns + "/" : "") + nodes[at].label;
  const rank = { none: 0, perhaps: 1, some: 2, all: 3 };

  // What is drawn: each item is a list of nodes; a namespace when several.
  let items = [], view = "single", chosen = null, hover = null, wanted = "";
  const single = () => nodes.map((node, at) => ({ name: node.label, ns: node.ns, nodes: [at] }));
  const spaces = () => {
    const by = new Map();
    nodes.forEach((node, at) => {
      const key = node.ns || node.label;
      if (!by.has(key)) by.set(key, { name: key, ns: node.ns, nodes: [], space: node.ns !== "" });
      by.get(key).nodes.push(at);
    });
    return [...by.values()];
  };
  const cell = (from, to) => {
    let best = null;
    for (const a of from.nodes) {
      if (!rows[a]) continue;
      for (const b of to.nodes) {
        if (a === b && from.nodes.length > 1) continue;
        const conn = conns[rows[a][b]];
        if (best === null || rank[conn.kind] > rank[best.kind]) best = conn;
      }
    }
    return best;
  };

  const canvas = document.getElementById("matrix"), scroll = document.getElementById("scroll");
  const panel = document.getElementById("panel");
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const font = (size, bold) => (bold ? "600 " : "") + size + "px system-ui, 'Liberation Sans', 'DejaVu Sans', sans-serif";
  let box = { size: 16, left: 160, top: 120 }, from = [], to = [];

  const fits = (item) => !wanted || item.nodes.some((at) =>
    label(at).toLowerCase().includes(wanted) || nodes[at].members.some((one) => one.toLowerCase().includes(wanted)));
  const layout = () => {
    items = view === "spaces" ? spaces() : single();
    const named = items.filter(fits);
    // What is looked for against everything: rows are those found, columns all.
    from = (wanted ? named : items).filter((item) => item.nodes.some((at) => rows[at]));
    to = items;
    if (from.length === 0) from = items.filter((item) => item.nodes.some((at) => rows[at]));
    const room = Math.max(320, scroll.clientWidth - 190);
    box.size = Math.max(7, Math.min(30, Math.floor(room / to.length)));
    const context = canvas.getContext("2d");
    context.font = font(12);
    const longest = (list) => Math.max(40, ...list.map((item) => context.measureText(item.name).width));
    box.left = box.size >= 11 ? Math.min(230, longest(from) + 16) + (view === "single" ? 22 : 0) : 130;
    box.top = box.size >= 11 ? Math.min(200, longest(to) + 16) + (view === "single" ? 22 : 0) : 130;
    draw();
  };
  const runs = (list) => {
    const found = [];
    list.forEach((item, at) => {
      const last = found[found.length - 1];
      if (last && last.ns === item.ns) last.end = at + 1;
      else found.push({ ns: item.ns, start: at, end: at + 1 });
    });
    return found;
  };
  const cut = (context, text, most) => {
    if (context.measureText(text).width <= most) return text;
    while (text.length > 1 && context.measureText(text + "…").width > most) text = text.slice(0, -1);
    return text + "…";
  };
  const draw = () => {
    const scale = window.devicePixelRatio || 1;
    const width = box.left + to.length * box.size + 8, height = box.top + from.length * box.size + 8;
    canvas.width = width * scale; canvas.height = height * scale;
    canvas.style.width = width + "px"; canvas.style.height = height + "px";
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const paint = { all: color("all"), some: color("some"), perhaps: color("perhaps"), none: color("none") };
    const ink = color("ink"), soft = color("soft"), gap = box.size > 9 ? 1 : 0;
    context.clearRect(0, 0, width, height);
    from.forEach((source, row) => to.forEach((target, column) => {
      const same = view === "single" && source.nodes[0] === target.nodes[0] && nodes[source.nodes[0]].members.length < 2;
      const conn = same ? null : cell(source, target);
      context.fillStyle = conn ? paint[conn.kind] : color("grid");
      context.fillRect(box.left + column * box.size, box.top + row * box.size, box.size - gap, box.size - gap);
    }));
    context.textBaseline = "middle";
    const big = box.size >= 11, inner = view === "single";
    if (big) {
      context.font = font(12);
      from.forEach((item, row) => {
        context.fillStyle = chosen && chosen.row === row ? color("link") : ink;
        const text = cut(context, item.name, box.left - (inner ? 34 : 12));
        context.textAlign = "right";
        context.fillText(text, box.left - 6, box.top + (row + .5) * box.size);
      });
      to.forEach((item, column) => {
        context.save();
        context.translate(box.left + (column + .5) * box.size, box.top - 6);
        context.rotate(-Math.PI / 2);
        context.textAlign = "left";
        context.fillStyle = chosen && chosen.column === column ? color("link") : ink;
        context.fillText(cut(context, item.name, box.top - (inner ? 34 : 12)), 0, 0);
        context.restore();
      });
    }
    if (inner) {
      context.font = font(12, true);
      const bands = (list, across) => runs(list).forEach((run) => {
        const start = (across ? box.left : box.top) + run.start * box.size;
        const length = (run.end - run.start) * box.size;
        context.fillStyle = color("band");
        if (across) context.fillRect(start - 1, 0, 1, height); else context.fillRect(0, start - 1, width, 1);
        context.fillStyle = soft;
        const name = run.ns || "outside";
        context.save();
        if (big) {
          if (across) { context.textAlign = "left"; context.fillText(cut(context, name, length - 4), start + 3, 11); }
          else { context.translate(11, start + length - 3); context.rotate(-Math.PI / 2); context.textAlign = "left"; context.fillText(cut(context, name, length - 4), 0, 0); }
        } else if (length >= 13) {
          if (across) { context.translate(start + length / 2, box.top - 6); context.rotate(-Math.PI / 2); context.textAlign = "left"; context.fillText(cut(context, name, box.top - 10), 0, 0); }
          else { context.textAlign = "right"; context.fillText(cut(context, name, box.left - 10), box.left - 6, start + length / 2); }
        }
        context.restore();
      });
      bands(to, true); bands(from, false);
    }
    const mark = (at, tone, thick) => {
      if (!at || at.row === undefined || at.column === undefined) return;
      context.strokeStyle = tone; context.lineWidth = thick;
      context.strokeRect(box.left + at.column * box.size, box.top + at.row * box.size, box.size - gap, box.size - gap);
    };
    mark(hover, soft, 1.5); mark(chosen, ink, 2.5);
  };

  const at = (event) => {
    const edge = canvas.getBoundingClientRect();
    const x = event.clientX - edge.left - box.left, y = event.clientY - edge.top - box.top;
    const column = x >= 0 ? Math.floor(x / box.size) : undefined, row = y >= 0 ? Math.floor(y / box.size) : undefined;
    return { column: column < to.length ? column : undefined, row: row < from.length ? row : undefined };
  };
  canvas.addEventListener("mousemove", (event) => {
    hover = at(event);
    const both = hover.row !== undefined && hover.column !== undefined;
    const conn = both ? cell(from[hover.row], to[hover.column]) : null;
    canvas.title = both && conn ? full(from[hover.row]) + " → " + full(to[hover.column]) + ": " + conn.text : "";
    draw();
  });
  canvas.addEventListener("mouseleave", () => { hover = null; draw(); });
  canvas.addEventListener("click", (event) => choose(at(event)));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = chosen || { row: 0, column: 0 };
    choose({
      row: Math.min(from.length - 1, Math.max(0, (now.row ?? 0) + step[0])),
      column: Math.min(to.length - 1, Math.max(0, (now.column ?? 0) + step[1])),
    });
  });
  const full = (item) => item.space ? "namespace " + item.name : item.nodes.length === 1 ? label(item.nodes[0]) : item.name;

  const choose = (next) => {
    chosen = next;
    draw();
    if (next.row !== undefined && next.column !== undefined) pair(from[next.row], to[next.column]);
    else if (next.row !== undefined) one(from[next.row]);
    else if (next.column !== undefined) one(to[next.column]);
  };
  const link = (text, act) => {
    const made = el("button", text, "link");
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  };
  const show = (a, b) => {
    if (view !== "single") { view = "single"; wanted = ""; find.value = ""; pressed(); layout(); }
    chosen = { row: from.findIndex((item) => item.nodes[0] === a), column: to.findIndex((item) => item.nodes[0] === b) };
    draw();
    pair({ nodes: [a], name: nodes[a].label }, { nodes: [b], name: nodes[b].label });
  };
  const single_out = (a) => one({ nodes: [a], name: nodes[a].label, ns: nodes[a].ns });

  const pair = (source, target) => {
    panel.replaceChildren();
    panel.append(el("h2", full(source) + " → " + full(target)));
    if (source.nodes.length > 1 || target.nodes.length > 1) return inside(source, target);
    const a = source.nodes[0], b = target.nodes[0];
    if (!rows[a]) return panel.append(el("p", "Nobody asks what comes from there."));
    if (a === b && nodes[a].members.length < 2) return panel.append(el("p", "A pod always reaches itself."));
    const conn = conns[rows[a][b]];
    panel.append(el("span", conn.text, "verdict " + conn.kind));
    if (nodes[a].members.length > 1 || nodes[b].members.length > 1) {
      const all = el("details"), list = el("ul");
      all.append(el("summary", "Workloads"), list);
      for (const name of new Set([...nodes[a].members, ...nodes[b].members])) list.append(el("li", name));
      panel.append(all);
    }
    side("Out of " + label(a), "out", a, b);
    side("Into " + label(b), "in", b, a);
  };
  const side = (title, way, own, other) => {
    if (!nodes[own].ns) return;
    panel.append(el("h3", title));
    const list = el("ul");
    for (const policy of data.policies) {
      if (!policy[way] || !policy.selects.has(own)) continue;
      const item = el("li");
      item.append(el("strong", policy.name), policy.tier ? ", " + policy.tier : "", " ", el("span", policy.place, "place"));
      const rules = el("ul");
      for (const rule of policy[way]) {
        const may = rule.may.has(other);
        if (!may) continue;
        const line = el("li", rule.route + " " + rule.action + " " + rule.ports + (rule.sure.has(other) ? "" : " (may match)") + " ");
        line.append(el("span", rule.place, "place"));
        rules.append(line);
      }
      if (!rules.children.length) rules.append(el("li", policy[way].length ? "no rule matches the other end" : "has no rule: lets nothing through"));
      item.append(rules);
      list.append(item);
    }
    if (list.children.length) panel.append(list);
    else panel.append(el("p", "No policy selects it: everything passes."));
  };
  const inside = (source, target) => {
    const list = el("ul");
    let count = 0;
    for (const a of source.nodes) for (const b of target.nodes) {
      if (!rows[a] || a === b) continue;
      const conn = conns[rows[a][b]];
      if (conn.kind === "none") continue;
      count += 1;
      if (count > 60) continue;
      const item = el("li");
      item.append(link(label(a) + " → " + label(b), () => show(a, b)), ": " + conn.text);
      list.append(item);
    }
    panel.append(el("p", count ? count + " of " + source.nodes.length * target.nodes.length + " pairs" : "nothing passes"), list);
    if (count > 60) panel.append(el("p", "and " + (count - 60) + " more"));
  };
  const one = (item) => {
    panel.replaceChildren(el("h2", full(item)));
    if (item.nodes.length === 1 && nodes[item.nodes[0]].members.length > 1) {
      panel.append(el("p", nodes[item.nodes[0]].members.join(", ")));
    }
    const block = (title, pick) => {
      const by = new Map();
      for (const own of item.nodes) nodes.forEach((node, other) => {
        const [a, b] = pick(own, other);
        if (!rows[a] || a === b || item.nodes.includes(other) && item.nodes.length > 1) return;
        const conn = conns[rows[a][b]];
        if (conn.kind === "none") return;
        if (!by.has(conn.text)) by.set(conn.text, new Map());
        by.get(conn.text).set(label(other), [a, b]);
      });
      panel.append(el("h3", title));
      if (!by.size) panel.append(el("p", "nothing"));
      for (const [text, ends] of by) {
        panel.append(el("p", text + ":"));
        const list = el("ul");
        [...ends].slice(0, 40).forEach(([name, [a, b]]) => {
          const line = el("li");
          line.append(link(name, () => show(a, b)));
          list.append(line);
        });
        if (ends.size > 40) list.append(el("li", "and " + (ends.size - 40) + " more"));
        panel.append(list);
      }
    };
    block("Reaches", (own, other) => [own, other]);
    block("Reached by", (own, other) => [other, own]);
  };

  // The answers before the picture.
  document.getElementById("facts").textContent = data.workloads + " workloads in " + data.namespaces + " namespaces, " + data.policies.length + " policies in effect";
  const notes = document.getElementById("notes"), list = el("ul");
  data.notes.forEach((note) => list.append(el("li", note)));
  notes.append(list);
  if (data.notes.some((note) => note.startsWith("By what"))) notes.open = true;
  const exposed = document.getElementById("exposed");
  const card = (title, big, lines, help) => {
    const made = el("div", undefined, "card");
    made.append(el("h2", title), el("p", big, "big"));
    const inner = el("ul");
    lines.forEach((line) => { const item = el("li"); item.append(line); inner.append(item); });
    made.append(inner);
    if (help) made.append(el("p", help, "help"));
    exposed.append(made);
  };
  const ways = (audience) => data.exposures.filter((one) => one.audience === audience)
    .map((one) => one.node === null ? document.createTextNode(one.text) : link(one.text, () => single_out(one.node)));
  const internet = ways("internet"), perhaps = ways("perhaps");
  card("Open to the internet", String(internet.length), internet);
  if (perhaps.length) card("Perhaps open to the internet", String(perhaps.length), perhaps);
  const reaches = (name) => {
    const target = nodes.findIndex((node) => !node.ns && node.label === name);
    const found = nodes.map((node, at) => at).filter((at) => nodes[at].ns && rows[at] && ["all", "some"].includes(conns[rows[at][target]].kind));
    const count = found.reduce((sum, at) => sum + nodes[at].members.length, 0);
    card("Reach " + name, count + " of " + data.workloads, found.slice(0, 30).map((at) => link(label(at), () => show(at, target))),
      found.length > 30 ? "and " + (found.length - 30) + " more classes" : undefined);
  };
  ["the internet", "instance metadata", "the API server"].forEach(reaches);

  const find = document.getElementById("find");
  find.addEventListener("input", () => { wanted = find.value.trim().toLowerCase(); chosen = null; layout(); });
  const pressed = () => {
    document.getElementById("spaces").setAttribute("aria-pressed", view === "spaces");
    document.getElementById("single").setAttribute("aria-pressed", view === "single");
  };
  ["spaces", "single"].forEach((name) => document.getElementById(name).addEventListener("click", () => { view = name; chosen = null; pressed(); layout(); }));
  view = nodes.length > 60 ? "spaces" : "single";
  pressed();
  panel.append(el("p", "Click a cell: which rules let it through, and where they are written."));
  window.addEventListener("resize", layout);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  layout();
})();
