"use strict";
// The page is complete without this script; it adds sorting, filters, a choice of models, and tooltips.
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const status = one("#status");

  all(".tools, .live").forEach((element) => { element.hidden = false; });

  // Sorting: a button in the head of each column. Numbers start with the largest; undefined ones come last.
  const valueOf = (row, column) => {
    const text = row.cells[column].textContent.trim();
    return { text, number: parseFloat(text) };
  };

  function sort(table, header, column) {
    const textual = header.classList.contains("text") || column === 0;
    const sorted = header.getAttribute("aria-sort");
    const rising = sorted ? sorted === "descending" : textual;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, ...valueOf(row, column) }));
    rows.sort((a, b) => {
      if (textual) return a.text.localeCompare(b.text, "en", { numeric: true }) * (rising ? 1 : -1);
      if (isNaN(a.number) || isNaN(b.number)) return isNaN(a.number) - isNaN(b.number);
      return (a.number - b.number) * (rising ? 1 : -1);
    });
    all("[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", rising ? "ascending" : "descending");
    body.append(...rows.map(({ row }) => row));
    status.textContent = `Sorted by ${header.textContent.trim()}, ${rising ? "ascending" : "descending"}`;
  }

  for (const table of all("table.sortable")) {
    const header = table.tHead.rows[table.tHead.rows.length - 1];
    [...header.cells].forEach((cell, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...cell.childNodes);
      button.addEventListener("click", () => sort(table, cell, column));
      cell.append(button);
    });
  }

  // Models: a filter by name that applies everywhere, and a checkbox for each curve.
  const find = one("#find");
  const names = {};
  all("#models tbody tr").forEach((row) => { names[row.dataset.m] = row.cells[0].textContent.trim().toLowerCase(); });

  function filter() {
    const asked = find.value.trim().toLowerCase();
    const matches = (place) => names[place].includes(asked);
    all("[data-m]").forEach((element) => { element.toggleAttribute("hidden", !matches(element.dataset.m)); });
    const places = Object.keys(names);
    one("#found").textContent = asked ? `${places.filter(matches).length} of ${places.length}` : "";
  }

  function plot(place, drawn) {
    all(`[data-p="${place}"]`).forEach((element) => element.classList.toggle("off", !drawn));
    all(`.scatter [data-m="${place}"]`).forEach((element) => element.classList.toggle("dull", !drawn));
  }

  if (find) find.addEventListener("input", filter);
  if (one("#legend")) {
    all("#models tbody tr").forEach((row) => {
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = "plotted" in row.dataset;
      box.setAttribute("aria-label", `Draw curves of ${row.cells[0].textContent.trim()}`);
      box.addEventListener("change", () => plot(row.dataset.m, box.checked));
      row.cells[0].firstElementChild.prepend(box);
    });
  }

  // Groups of corruptions: their rows, panels and columns.
  function show(group, visible) {
    all("[data-g]").filter((element) => element.dataset.g === group).forEach((element) => {
      if (element.tagName !== "TH") { element.hidden = !visible; return; }
      const column = element.cellIndex;
      [...element.closest("table").rows].forEach((row) => { row.cells[column].hidden = !visible; });
    });
  }
  all("#groups input").forEach((box) => {
    box.addEventListener("change", () => show(box.value, box.checked));
  });

  // The axis of the curves: severity, or measured strength. Points keep their height.
  const numbers = (text) => text.split(" ").map(Number); // NaN where a corruption lacks a severity
  const panels = all("svg.panel").map((svg) => {
    const ticks = all(".by-severity text", svg).map((text) => Number(text.getAttribute("x")));
    return {
      svg,
      ticks,
      at: ticks,
      labels: all(".by-severity text", svg).map((text) => text.textContent),
      strengths: svg.dataset.x ? numbers(svg.dataset.x) : null,
      decibels: svg.dataset.db ? svg.dataset.db.split(" ") : [],
      shapes: all("polyline, polygon", svg).map((shape) => ({ shape, points: shape.getAttribute("points") })),
    };
  });

  function moved(points, panel, close) {
    const pairs = points.split(" ").map((pair) => pair.split(",").map(Number));
    const place = ([x, y]) => [panel.at[panel.ticks.indexOf(x)], y];
    // By strength, a curve runs from weak to strong, whatever the order of the severities.
    const run = (part, sign) => part.map(place).sort((a, b) => sign * (a[0] - b[0]));
    const half = pairs.length / 2;
    const ordered = close ? [...run(pairs.slice(0, half), 1), ...run(pairs.slice(half), -1)] : run(pairs, 1);
    return ordered.map((pair) => pair.join(",")).join(" ");
  }

  function across(axis) {
    document.body.classList.toggle("psnr", axis === "psnr");
    for (const panel of panels) {
      panel.at = axis === "psnr" && panel.strengths ? panel.strengths : panel.ticks;
      panel.svg.classList.toggle("unmeasured", axis === "psnr" && !panel.strengths);
      for (const { shape, points } of panel.shapes) {
        if (!points) continue;
        const now = moved(points, panel, shape.tagName === "polygon");
        shape.setAttribute("points", now);
        const dots = shape.parentNode.querySelector("path");
        if (shape.tagName === "polyline" && dots) dots.setAttribute("d", `M${now.replaceAll(" ", "h0M")}h0`);
      }
    }
  }
  all("#axis input").forEach((button) => button.addEventListener("change", () => across(button.value)));

  // Tooltips: the values of the curves at the nearest severity, and the interval of a cell.
  const tip = one("#tip");
  function tell(text, event) {
    tip.textContent = text;
    tip.hidden = false;
    const left = Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    const below = event.clientY + 18 + tip.offsetHeight < window.innerHeight;
    tip.style.top = `${below ? event.clientY + 18 : event.clientY - tip.offsetHeight - 12}px`;
  }
  const silence = () => { tip.hidden = true; };

  const named = Object.fromEntries(all("#legend li").map((item) => [item.dataset.p, item.textContent.trim()]));
  for (const panel of panels) {
    const name = panel.svg.parentNode.querySelector("figcaption").textContent;
    panel.svg.addEventListener("pointermove", (event) => {
      const box = panel.svg.getBoundingClientRect();
      const x = (event.clientX - box.left) * panel.svg.viewBox.baseVal.width / box.width;
      const distances = panel.at.map((at) => (isNaN(at) ? Infinity : Math.abs(at - x)));
      const nearest = distances.indexOf(Math.min(...distances));
      const strength = nearest && parseFloat(panel.decibels[nearest - 1]) ? `, PSNR ${panel.decibels[nearest - 1]} dB` : "";
      const lines = all("g[data-p]:not(.off)", panel.svg).map((line) => {
        const drawn = panel.shapes.find(({ shape }) => shape.parentNode === line && shape.tagName === "polyline");
        const places = drawn.points.split(" ").map((pair) => parseFloat(pair));
        const value = line.dataset.v.split("|")[places.indexOf(panel.ticks[nearest])] || "–";
        return `${named[line.dataset.p] || "mIoU"}  ${value}`;
      });
      const where = nearest ? `${name}, severity ${panel.labels[nearest]}${strength}` : "clean";
      tell([where, ...lines.slice(0, 12)].join("\n"), event);
    });
    panel.svg.addEventListener("pointerleave", silence);
  }
  document.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td[data-i]");
    if (cell) tell(`${cell.textContent} ${cell.dataset.i}`, event);
    else if (!event.target.closest("svg.panel")) silence();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") silence(); });

  // Print shows folded parts too.
  window.addEventListener("beforeprint", () => all("details").forEach((part) => { part.open = true; }));
})();
