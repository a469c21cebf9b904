"use strict";
// Everything that comes from the plan is put into the page as text, never as markup.
(() => {
  const plan = JSON.parse(document.getElementById("plan").textContent);
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const SIGN = { create: "+", update: "~", destroy: "-", replace: "-/+", "replace-new-first": "+/-",
    read: "<=", import: "→", move: "↷", forget: ".", drifted: "~", gone: "-" };
  const PHRASE = { create: "created", update: "updated in place", destroy: "destroyed", replace: "replaced: destroyed, then created",
    "replace-new-first": "replaced: created, then destroyed", read: "read during apply", import: "imported", move: "moved",
    forget: "forgotten, not destroyed", drifted: "changed outside", gone: "gone" };
  // Kinds of actions as they are filtered: both orders of a replacement are one.
  const KINDS = [["destroy", "to destroy"], ["replace", "to replace"], ["update", "to update"], ["create", "to create"],
    ["import", "to import"], ["move", "to move"], ["forget", "to forget"], ["read", "to read"]];
  const kindOf = (verb) => (verb === "replace-new-first" ? "replace" : verb);
  const el = (tag, cls, text) => {
    const made = document.createElement(tag);
    if (cls) made.className = cls;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const svg = (tag, attributes) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

  // ---- What is lost comes first, then the order of addresses.
  const rank = new Map([["destroy", 0], ["replace", 1], ["replace-new-first", 1], ["forget", 2]]);
  const entries = plan.entries.map((entry, at) => ({ ...entry, at, open: false,
    hay: (entry.address + "\n" + entry.reasons.join("\n") + "\n" + entry.lines.map((line) => line.t).join("\n")).toLowerCase() }));
  const sorted = [...entries].sort((a, b) => (rank.get(a.verb) ?? 3) - (rank.get(b.verb) ?? 3) || a.at - b.at);

  const filter = { text: "", kind: "", type: "", module: null, only: null, name: "" };
  let shown = sorted;
  let drawn = 0;
  let current = 0;

  // ---- Tiles
  const tiles = $("tiles");
  const tally = new Map();
  for (const entry of entries) tally.set(kindOf(entry.verb), (tally.get(kindOf(entry.verb)) ?? 0) + 1);
  const tile = (kind, sign, count, words) => {
    const made = el("button", `tile v-${kind || "all"}`);
    made.type = "button";
    made.append(el("b", "", count.toLocaleString("en")));
    const label = el("span");
    if (sign) label.append(el("code", "", sign));
    label.append(words);
    made.append(label);
    made.setAttribute("aria-pressed", "false");
    made.dataset.kind = kind;
    made.addEventListener("click", () => { filter.kind = filter.kind === kind ? "" : kind; apply(); });
    tiles.append(made);
  };
  for (const [kind, words] of KINDS) if (tally.get(kind)) tile(kind, SIGN[kind], tally.get(kind), words);
  if (tally.size > 1) tile("", "", entries.length, "changes in all");

  // ---- Cards
  const cards = $("cards");
  const card = (title, cls) => {
    const made = el("section", `card ${cls ?? ""}`);
    made.append(el("h2", "", title));
    cards.append(made);
    return made;
  };
  const bullets = (into, lines) => {
    const list = el("ul");
    lines.forEach((line) => list.append(el("li", "", line)));
    into.append(list);
  };
  const lost = sorted.filter((entry) => rank.get(entry.verb) < 2);
  if (lost.length && plan.mode !== "destroy") {
    const gone = lost.filter((entry) => entry.verb === "destroy").length;
    const parts = [[gone, "destroyed"], [lost.length - gone, "replaced"]].filter(([count]) => count);
    const made = card(parts.map(([count, word]) => `${plural(count, "object")} will be ${word}`).join(", "), "loud");
    const list = el("ul");
    lost.slice(0, 12).forEach((entry) => {
      const item = el("li", "links");
      const link = el("button", "", entry.address);
      link.type = "button";
      link.addEventListener("click", () => reveal(entry));
      const why = entry.reasons.join("; ") || forced(entry);
      item.append(link, ` ${PHRASE[entry.verb]}${why ? " – " + why : ""}`);
      list.append(item);
    });
    made.append(list);
    if (lost.length > 12) made.append(el("p", "hint", `and ${lost.length - 12} more, first in the list below`));
  }
  for (const section of plan.sections ?? []) {
    const made = card(section.title);
    bullets(made, section.lines);
    if (section.bars?.length) made.append(chart(section.bars));
  }
  if (plan.placements.length) {
    bullets(card("Placement"), plan.placements.map((one) => `${one.component} on ${one.offer} (${one.backend}): ${one.reason}`));
  }
  if (plan.deferred_checks.length) bullets(card("Checked when the values are known"), plan.deferred_checks);
  // Two bars for each: what is, and what will be.
  function chart(bars) {
    const made = el("div", "chart");
    for (const one of bars) {
      const row = el("div", "pair");
      row.append(el("span", "mono", one.label));
      const both = el("div", "both");
      both.setAttribute("role", "img");
      both.setAttribute("aria-label", `${one.label}: ${one.text}`);
      for (const [when, length] of [["before", one.before], ["after", one.after]]) {
        const bar = el("i", when);
        bar.style.width = `${length / 10}%`;
        both.append(bar);
      }
      row.append(both, el("span", "hint", one.text));
      made.append(row);
    }
    return made;
  }
  const folded = (title, fill) => {
    const made = el("section", "card");
    const details = el("details");
    details.append(el("summary", "", title));
    details.addEventListener("toggle", () => { if (details.open && details.childElementCount === 1) fill(details); });
    made.append(details);
    cards.append(made);
  };
  if (plan.drift.length) {
    folded(`Changed outside of Stratiform: ${plural(plan.drift.length, "object")}`, (into) => plan.drift.forEach((entry) => {
      const line = el("p", `mono v-${entry.verb}`, `${entry.address} ${entry.verb === "gone" ? "is gone" : "has changed"}`);
      into.append(line, diff(entry.lines));
    }));
  }
  if (plan.outputs.length) folded(`Outputs: ${plural(plan.changed_outputs, "change")}`, (into) => into.append(diff(plan.outputs)));

  function forced(entry) {
    const names = entry.lines.filter((line) => (line.n ?? "").startsWith("forces replacement"))
      .map((line) => line.t.split(" = ")[0].trim()).filter(Boolean);
    return names.length ? `${names.join(", ")} cannot change in place` : "";
  }

  // ---- Differences
  const CLASS = { "+": "add", "-": "del", "~": "chg" };
  function diff(lines) {
    const made = el("div", "diff");
    for (const line of lines) {
      // A line that only opens something has its sign, but no colour of its own.
      const opens = /(?:[{[(]|<<-EOT)$/.test(line.t);
      const row = el("div", `${CLASS[line.s] ?? ""}${opens ? " opens" : ""}`);
      row.append(el("i", "", " ".repeat(Math.max(0, (line.i ?? 0) - 4))), el("i", "s", line.s ?? ""));
      const text = el("span", "", line.t);
      if (line.n) text.append(line.t ? " " : "", el("em", line.n.startsWith("forces") ? "forces" : "", `# ${line.n}`));
      row.append(text);
      made.append(row);
    }
    return made;
  }

  // ---- Order
  const steps = plan.steps;
  const waves = [];
  steps.forEach((step, at) => {
    const before = step.after.reduce((most, one) => Math.max(most, waves[one] ?? 0), 0);
    waves[at] = step.does ? before + 1 : before;
  });
  const before = new Map();
  const behind = new Map();
  // Joins stand for many edges; whoever asks goes through them, up to a number that a person would read.
  function neighbours(start, edges, most) {
    const found = new Set();
    const seen = new Set(start);
    const queue = [...start];
    while (queue.length && found.size < most) {
      for (const next of edges.get(queue.shift()) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        if (steps[next].entry !== undefined) found.add(steps[next].entry); else queue.push(next);
      }
    }
    return [...found].map((at) => entries[at]);
  }
  const stepsOf = new Map();
  steps.forEach((step, at) => {
    before.set(at, step.after);
    step.after.forEach((one) => { if (!behind.has(one)) behind.set(one, []); behind.get(one).push(at); });
    if (step.entry !== undefined) {
      if (!stepsOf.has(step.entry)) stepsOf.set(step.entry, []);
      stepsOf.get(step.entry).push(at);
    }
  });

  const noKeys = (text) => text.replace(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, "[*]");
  const first = (module) => { const found = module.match(/^[^.[]+\.[^.[]+/); return found ? found[0] : module; };
  const local = (entry) => (entry.module ? entry.address.slice(entry.module.length + 1) : entry.address);
  const LEVELS = [
    ["objects", (entry) => entry.address, false],
    ["blocks", (entry) => noKeys(entry.address), true],
    ["modules", (entry) => (entry.module ? noKeys(entry.module) : noKeys(local(entry))), true],
    ["modules and types", (entry) => (entry.module ? noKeys(entry.module) : entry.type_name), true],
    ["outermost modules", (entry) => (entry.module ? first(entry.module) : entry.type_name), true],
  ];
  function grouped(level) {
    const [, name] = LEVELS[level];
    const nodes = new Map();
    const groupOf = steps.map((step, at) => {
      if (step.entry === undefined || !step.does) return null;
      const entry = entries[step.entry];
      const key = `${step.does} ${name(entry)}`;
      if (!nodes.has(key)) nodes.set(key, { key, does: step.does, label: name(entry), members: new Set(), wave: Infinity, late: 0 });
      const node = nodes.get(key);
      node.members.add(step.entry);
      node.wave = Math.min(node.wave, waves[at]);
      node.late = Math.max(node.late, waves[at]);
      return node;
    });
    return { nodes: [...nodes.values()], groupOf };
  }
  function edgesOf(groupOf) {
    const edges = new Map();
    const through = steps.map(() => null);
    steps.forEach((step, at) => {
      const sources = new Set();
      for (const one of step.after) {
        if (groupOf[one]) sources.add(groupOf[one]);
        else if (through[one]) through[one].forEach((node) => sources.add(node));
      }
      const target = groupOf[at];
      if (!target) { through[at] = sources; return; }
      for (const source of sources) {
        if (source === target) continue;
        const key = `${source.id}>${target.id}`;
        if (!edges.has(key)) edges.set(key, { source, target, count: 0 });
        edges.get(key).count += 1;
      }
    });
    return [...edges.values()];
  }
  const W = 264, H = 40, GAP_X = 74, GAP_Y = 12, TOP = 26;
  const short = (text, room) => (text.length <= room ? text : "…" + text.slice(text.length - room + 1));
  // The module above, what is in it below.
  const split = (label) => {
    const found = label.match(/^(.*\.|)((?:data\.)?[^.[\]]+\.[^.[\]]+(?:\[.*\])?)$/);
    return found ? [found[1].replace(/\.$/, ""), found[2]] : ["", label];
  };
  function draw(level) {
    const { nodes, groupOf } = grouped(level);
    nodes.forEach((node, at) => { node.id = at; });
    const edges = edgesOf(groupOf);
    const distinct = [...new Set(nodes.map((node) => node.wave))].sort((a, b) => a - b);
    const column = new Map(distinct.map((wave, at) => [wave, at]));
    const columns = distinct.map(() => []);
    nodes.forEach((node) => { node.column = column.get(node.wave); columns[node.column].push(node); });
    columns.forEach((list) => list.sort((a, b) => a.label.localeCompare(b.label)).forEach((node, at) => { node.place = at; }));
    // Two sweeps bring each node near to what it is tied to.
    const ties = new Map(nodes.map((node) => [node, []]));
    edges.forEach((edge) => { ties.get(edge.source).push(edge.target); ties.get(edge.target).push(edge.source); });
    for (let sweep = 0; sweep < 2; sweep += 1) {
      for (const list of sweep ? [...columns].reverse() : columns) {
        list.forEach((node) => {
          const near = ties.get(node).filter((one) => (sweep ? one.column > node.column : one.column < node.column));
          node.pull = near.length ? near.reduce((sum, one) => sum + one.place, 0) / near.length : node.place;
        });
        list.sort((a, b) => a.pull - b.pull || a.place - b.place).forEach((node, at) => { node.place = at; });
      }
    }
    const tall = Math.max(...columns.map((list) => list.length), 1);
    const width = columns.length * (W + GAP_X) - GAP_X + 4;
    const height = TOP + tall * (H + GAP_Y) + 4;
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group" });
    columns.forEach((list, at) => {
      const word = svg("text", { x: 2 + at * (W + GAP_X), y: 14, class: "stage" });
      word.textContent = columns.length > 1 ? `stage ${distinct[at]}` : "at once";
      picture.append(word);
      const lead = ((tall - list.length) * (H + GAP_Y)) / 2;
      list.forEach((node) => { node.x = 2 + at * (W + GAP_X); node.y = TOP + Math.min(lead, 120) + node.place * (H + GAP_Y); });
    });
    edges.forEach((edge) => {
      const { source, target } = edge;
      const [x1, y1, x2, y2] = [source.x + W, source.y + H / 2, target.x, target.y + H / 2];
      const back = source.column >= target.column;
      const bend = back ? 60 : (x2 - x1) / 2;
      edge.line = svg("path", { d: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`,
        class: back ? "edge back" : "edge", "stroke-width": Math.min(1 + Math.log2(edge.count), 6) });
      picture.append(edge.line);
    });
    nodes.forEach((node) => {
      const kind = node.does === "destroy" ? "destroy" : node.does;
      const box = svg("g", { class: `node v-${kind}`, tabindex: "0", role: "button" });
      const count = node.members.size;
      const many = count > 1 ? ` ×${count.toLocaleString("en")}` : "";
      const sign = SIGN[node.does] ?? "";
      box.append(svg("rect", { x: node.x, y: node.y, width: W, height: H, rx: 6 }));
      const how = svg("text", { x: node.x + 10, y: node.y + H / 2 + 4, class: "how" });
      how.textContent = sign;
      const [within, what] = split(node.label);
      const text = svg("text", { x: node.x + 30, y: node.y + (within ? 31 : H / 2 + 4) });
      text.textContent = short(what, 31 - many.length) + many;
      if (within) {
        const above = svg("text", { x: node.x + 30, y: node.y + 15, class: "in" });
        above.textContent = short(within, 34);
        box.append(above);
      }
      const title = svg("title", {});
      const span = node.late > node.wave ? `, stages ${node.wave} to ${node.late}` : `, stage ${node.wave}`;
      title.textContent = `${node.does} ${node.label}${many}${span}`;
      box.setAttribute("aria-label", title.textContent);
      box.append(how, text, title);
      const near = (on) => {
        edges.forEach((edge) => { if (edge.source === node || edge.target === node) edge.line.classList.toggle("near", on); });
      };
      ["mouseenter", "focus"].forEach((event) => box.addEventListener(event, () => near(true)));
      ["mouseleave", "blur"].forEach((event) => box.addEventListener(event, () => near(false)));
      const choose = () => {
        filter.only = node.members;
        filter.name = `${node.does} ${node.label}`;
        apply();
        $("changes").scrollIntoView();
      };
      box.addEventListener("click", choose);
      box.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } });
      picture.append(box);
    });
    $("canvas").replaceChildren(picture);
    const depth = steps.length ? Math.max(...waves) : 0;
    $("order-hint").textContent = depth > 1
      ? `Left to right: what is done before what, in ${plural(depth, "stage")}. A box leads to its changes.`
      : "Nothing has to wait for anything else.";
  }
  if (steps.some((step) => step.does && step.entry !== undefined)) {
    $("order").hidden = false;
    const sizes = LEVELS.map((_, level) => grouped(level).nodes.length);
    let best = sizes.findIndex((size) => size <= 40);
    if (best < 0) best = sizes.indexOf(Math.min(...sizes));
    let last = 0;
    LEVELS.forEach(([name], level) => {
      // Levels that look the same are one, and more boxes than this are no picture.
      if ((sizes[level] === last && level !== best) || sizes[level] > 400) return;
      last = sizes[level];
      const option = el("option", "", `${name} (${sizes[level].toLocaleString("en")})`);
      option.value = level;
      option.selected = level === best;
      $("level").append(option);
    });
    if (sizes[best] > 400) $("level").append(Object.assign(el("option", "", LEVELS[best][0]), { value: best }));
    $("level").addEventListener("change", () => draw(Number($("level").value)));
    draw(best);
  }

  // ---- List
  const list = $("list");
  const CHUNK = 150;
  function marked(into, text) {
    const at = filter.text ? text.toLowerCase().indexOf(filter.text) : -1;
    if (at < 0) { into.append(text); return; }
    into.append(text.slice(0, at), el("mark", "", text.slice(at, at + filter.text.length)), text.slice(at + filter.text.length));
  }
  function row(entry) {
    const item = el("li", `v-${entry.verb}`);
    const head = el("button", "row");
    head.type = "button";
    head.tabIndex = -1;
    head.setAttribute("aria-expanded", String(entry.open));
    const address = el("span", "addr");
    if (entry.module && !filter.text && entry.address.startsWith(entry.module + ".")) {
      address.append(el("span", "mod", entry.module + "."), local(entry));
    } else marked(address, entry.address);
    head.append(el("span", "sign", SIGN[entry.verb]), address, el("span", "what", PHRASE[entry.verb]));
    head.addEventListener("click", () => { focusOn(shown.indexOf(entry)); toggle(entry); });
    item.append(head);
    entry.item = item;
    entry.head = head;
    if (entry.open) item.append(body(entry));
    return item;
  }
  function body(entry) {
    const made = el("div", "body");
    const why = [...entry.reasons];
    if (entry.moved_from) why.push(`moved from ${entry.moved_from}`);
    if (why.length) made.append(el("p", "why", why.join("; ")));
    if (entry.lines.length) made.append(diff(entry.lines));
    const own = stepsOf.get(entry.at) ?? [];
    for (const [words, edges] of [["after", before], ["before", behind]]) {
      const near = neighbours(own, edges, 21).filter((one) => one !== entry);
      if (!near.length) continue;
      const line = el("p", "links", `${words}: `);
      near.slice(0, 20).forEach((one) => {
        const link = el("button", "", one.address);
        link.type = "button";
        link.addEventListener("click", () => reveal(one));
        line.append(link, " ");
      });
      if (near.length > 20) line.append("and more");
      made.append(line);
    }
    return made;
  }
  function toggle(entry, want = !entry.open) {
    if (entry.open === want) return;
    entry.open = want;
    if (!entry.item) return;
    entry.head.setAttribute("aria-expanded", String(want));
    if (want) entry.item.append(body(entry)); else entry.item.lastElementChild.remove();
  }
  function more(upTo) {
    const until = Math.min(shown.length, Math.max(drawn + CHUNK, upTo ?? 0));
    const part = document.createDocumentFragment();
    for (; drawn < until; drawn += 1) part.append(row(shown[drawn]));
    list.append(part);
    $("end").hidden = drawn >= shown.length;
  }
  function focusOn(at, really = false) {
    if (at < 0 || at >= shown.length) return;
    if (at >= drawn) more(at + 1);
    if (shown[current]?.head) shown[current].head.tabIndex = -1;
    current = at;
    shown[at].head.tabIndex = 0;
    if (really) { shown[at].head.focus({ preventScroll: true }); shown[at].item.scrollIntoView({ block: "nearest" }); }
  }
  function reveal(entry) {
    if (!shown.includes(entry)) { Object.assign(filter, { text: "", kind: "", type: "", module: null, only: null }); $("search").value = ""; apply(); }
    focusOn(shown.indexOf(entry), true);
    toggle(entry, true);
    entry.item.scrollIntoView({ block: "center" });
  }
  function apply() {
    const { text, kind, type, module, only } = filter;
    const words = text.split(/\s+/).filter(Boolean);
    shown = sorted.filter((entry) => (!kind || kindOf(entry.verb) === kind) && (!type || entry.type_name === type)
      && (module === null || entry.module === module || entry.module.startsWith(module + ".")
        || entry.module.startsWith(module + "[")) && (!only || only.has(entry.at))
      && words.every((word) => entry.hay.includes(word)));
    entries.forEach((entry) => { entry.item = entry.head = undefined; });
    list.replaceChildren();
    drawn = 0;
    current = 0;
    more();
    if (shown.length) focusOn(0);
    $("none").hidden = shown.length > 0 || !entries.length;
    $("count").textContent = shown.length === entries.length ? plural(entries.length, "change")
      : `${shown.length.toLocaleString("en")} of ${plural(entries.length, "change")}`;
    document.querySelectorAll(".tile").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.kind === kind)));
    $("type").value = type;
    $("module").value = module ?? "*";
    $("fold").textContent = "Expand all";
    $("scope").hidden = !only;
    if (only) {
      const clear = el("button", "quiet", "Show everything");
      clear.type = "button";
      clear.addEventListener("click", () => { filter.only = null; apply(); });
      $("scope").replaceChildren(`Only: ${filter.name}`, clear);
    }
  }
  const choices = (id, all, values, name) => {
    const select = $(id);
    const option = (value, text) => { const made = el("option", "", text); made.value = value; select.append(made); };
    option(id === "module" ? "*" : "", all);
    values.forEach((value) => option(value, name(value)));
    select.hidden = values.length < 2;
  };
  choices("type", "All types", [...new Set(entries.map((entry) => entry.type_name))].sort(), (value) => value);
  const modules = [...new Set(entries.map((entry) => entry.module))].sort();
  choices("module", "All modules", modules, (value) => value || "root module");
  $("type").addEventListener("change", () => { filter.type = $("type").value; apply(); });
  $("module").addEventListener("change", () => { filter.module = $("module").value === "*" ? null : $("module").value; apply(); });
  let waiting = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { filter.text = $("search").value.trim().toLowerCase(); apply(); }, 60);
  });
  function foldAll() {
    const open = $("fold").textContent === "Expand all";
    // So many at once that a browser stays quick; the rest opens one by one.
    shown.slice(0, 500).forEach((entry) => toggle(entry, open));
    $("fold").textContent = open ? "Fold all" : "Expand all";
  }
  $("fold").addEventListener("click", foldAll);
  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting) && drawn < shown.length) more(); },
    { rootMargin: "900px" }).observe($("end"));

  // ---- Keys and theme
  function theme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }
  $("theme").addEventListener("click", theme);
  $("help-open").addEventListener("click", () => $("help").showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    const field = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape") {
      if (field) { event.target.blur(); focusOn(current, true); return; }
      Object.assign(filter, { text: "", kind: "", type: "", module: null, only: null });
      $("search").value = "";
      apply();
      return;
    }
    if (field) {
      if (event.target === $("search") && (event.key === "Enter" || event.key === "ArrowDown")) { event.preventDefault(); focusOn(0, true); }
      return;
    }
    const inList = document.activeElement?.classList.contains("row");
    const step = { j: 1, ArrowDown: inList ? 1 : 0, k: -1, ArrowUp: inList ? -1 : 0 }[event.key];
    if (step) {
      event.preventDefault();
      focusOn(inList ? Math.min(Math.max(current + step, 0), shown.length - 1) : current, true);
    } else if (event.key === "/") {
      event.preventDefault();
      $("search").focus();
      $("search").select();
    } else if (event.key === "e") foldAll();
    else if (event.key === "t") theme();
    else if (event.key === "?") $("help").showModal();
  });
  apply();
})();
