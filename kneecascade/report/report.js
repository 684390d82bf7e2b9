"use strict";
// Shows the report: a table of the cohort, and a page a knee. Everything comes from the JSON in the file.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.getElementById("report");
  let sorted = { column: "flags", down: true };
  let wanted = "";

  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined) node.setAttribute(name, value);
    }
    for (const child of children) if (child !== null && child !== undefined) node.append(child);
    return node;
  }

  function number(value, digits) {
    return value === null || value === undefined ? "–" : Number(value).toFixed(digits === undefined ? 2 : digits);
  }

  // ---- the cohort ----
  function columns() {
    const fixed = [
      { key: "case", title: "case", text: true, of: (c) => c.name },
      { key: "flags", title: "flags", of: (c) => (c.error ? 1e6 : c.doubt), show: (c) => (c.error ? "failed" : String(c.flags.length)) },
    ];
    const volumes = data.volume_labels.map((name) => ({
      key: "volume " + name, title: name.replaceAll("_", " ") + ", ml", of: (c) => (c.volumes_ml ? c.volumes_ml[name] : null),
      out: (c) => outside(data.ranges[name], c.volumes_ml ? c.volumes_ml[name] : null),
    }));
    const dice = data.dice_labels.map((name) => ({
      key: "dice " + name, title: "Dice " + name.replaceAll("_", " "), digits: 3, of: (c) => (c.dice ? c.dice[name] : null),
    }));
    const rest = [
      { key: "region", title: "region, %", digits: 0, of: (c) => (c.region ? 100 * c.region.fraction : null) },
      { key: "seconds", title: "seconds", digits: 1, of: (c) => (c.seconds ? c.seconds.total : null) },
      { key: "why", title: "what was noticed", text: true, of: (c) => c.error || few(c.flags) },
    ];
    return fixed.concat(volumes, dice, rest);
  }

  function few(flags) {
    const more = flags.length - 2;
    return flags.slice(0, 2).join("; ") + (more > 0 ? `; and ${more} more` : "");
  }

  function outside(range, value) {
    return Boolean(range) && value !== null && value !== undefined && (value < range[0] || value > range[1]);
  }

  function ordered(all) {
    const column = all.find((c) => c.key === sorted.column) || all[0];
    const sign = sorted.down ? -1 : 1;
    return data.cases
      .filter((c) => c.name.toLowerCase().includes(wanted))
      .sort((a, b) => {
        const [x, y] = [column.of(a), column.of(b)];
        if (x === null || x === undefined) return 1;
        if (y === null || y === undefined) return -1;
        return sign * (typeof x === "string" ? x.localeCompare(y) : x - y) || a.name.localeCompare(b.name);
      });
  }

  function cohortTable() {
    const all = columns();
    const head = make("tr");
    for (const column of all) {
      const state = column.key === sorted.column ? (sorted.down ? "descending" : "ascending") : "none";
      const turn = () => {
        sorted = { column: column.key, down: column.key === sorted.column ? !sorted.down : !column.text };
        table.replaceWith(cohortTable());
      };
      const key = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); turn(); } };
      head.append(make("th", { class: "sortable" + (column.text ? " text" : ""), "aria-sort": state, tabindex: 0, onclick: turn, onkeydown: key }, column.title));
    }
    const body = make("tbody");
    for (const item of ordered(all)) {
      const row = make("tr", { "data-case": item.name });
      for (const column of all) {
        const value = column.show ? column.show(item) : column.text ? column.of(item) : number(column.of(item), column.digits);
        const link = column.key === "case" && !item.error ? make("a", { href: "#case=" + encodeURIComponent(item.name) }, value) : value;
        const doubtful = (column.out && column.out(item)) || (column.key === "flags" && column.of(item) > 0);
        row.append(make("td", { class: (column.text ? "text" : "") + (doubtful ? " out" : "") }, link));
      }
      body.append(row);
    }
    const table = make("div", { class: "scroll", id: "cohort" }, make("table", {}, make("thead", {}, head), body));
    return table;
  }

  function modelTable() {
    if (!data.model.validation.length) return make("p", { class: "note" }, "No validation scores lie beside the model.");
    const head = make("tr", {}, make("th", {}, "label"), make("th", {}, "coarse stage"), make("th", {}, "cascade"), make("th", {}, "cases"));
    const rows = data.model.validation.map((v) => make("tr", {}, make("td", {}, v.label.replaceAll("_", " ")), make("td", {}, number(v.coarse, 3)), make("td", {}, number(v.cascade, 3)), make("td", {}, String(v.n))));
    return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
  }

  function showCohort() {
    const flagged = data.cases.filter((c) => c.error || c.flags.length).length;
    const search = make("input", { type: "search", placeholder: "find a case", "aria-label": "find a case", value: wanted, oninput: (e) => { wanted = e.target.value.toLowerCase(); document.getElementById("cohort").replaceWith(cohortTable()); } });
    root.replaceChildren(
      make("h1", {}, data.title),
      make("p", { class: "note" }, `${data.cases.length} images, ${flagged} with a reason for doubt; worst first. Flags are sorted by how far beyond the limits they are. A click on a heading sorts, a click on a case opens its page.`),
      make("div", { class: "bar noprint" }, search),
      cohortTable(),
      make("h2", {}, "The model"),
      make("p", { class: "note" }, data.model.text),
      make("p", { class: "note" }, data.model.selection),
      modelTable(),
      footer(),
    );
  }

  // ---- a knee ----
  function viewer(plane) {
    let at = Math.floor(plane.frames.length / 2);
    const grey = make("img", { alt: `${plane.name} slice` });
    const lines = make("img", { alt: "", class: "contours" });
    const place = make("span");
    const slider = make("input", { type: "range", min: 0, max: plane.frames.length - 1, value: at, "aria-label": `${plane.name} slice`, oninput: (e) => show(Number(e.target.value)) });
    function show(index) {
      at = Math.max(0, Math.min(plane.frames.length - 1, index));
      const frame = plane.frames[at];
      grey.src = frame.image; lines.src = frame.contours; slider.value = at;
      place.textContent = `${frame.position_mm.toFixed(1)} mm`;
    }
    const stack = make("div", { class: "stack" }, grey, lines);
    stack.addEventListener("wheel", (e) => { e.preventDefault(); show(at + Math.sign(e.deltaY)); }, { passive: false });
    show(at);
    return make("figure", { "data-plane": plane.name }, make("figcaption", {}, make("span", {}, plane.name), place), stack, slider);
  }

  function legend() {
    const parts = Object.entries(data.colours).map(([name, colour]) => make("span", {}, make("i", { style: `background:${colour}` }), name.replaceAll("_", " ")));
    return make("div", { class: "legend" }, ...parts);
  }

  function unpack(text, Kind) {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
    return new Kind(bytes.buffer);
  }

  function strided(flat, offset) {
    const out = new flat.constructor(flat.length / 3);
    for (let k = 0; k < out.length; k++) out[k] = flat[3 * k + offset];
    return out;
  }

  function trace(mesh, k, all, byValue) {
    const v = unpack(mesh.vertices, Float32Array), t = unpack(mesh.triangles, Int32Array);
    const one = {
      type: "mesh3d", name: mesh.name.replaceAll("_", " "), showlegend: true, hoverinfo: "name",
      x: strided(v, 0), y: strided(v, 1), z: strided(v, 2), i: strided(t, 0), j: strided(t, 1), k: strided(t, 2),
      color: data.colours[mesh.name] || "#999999", opacity: mesh.opacity, flatshading: false,
      lighting: { ambient: 0.55, diffuse: 0.7, specular: 0.15 },
    };
    if (mesh.values && byValue) {
      Object.assign(one, { intensity: unpack(mesh.values, Float32Array), colorscale: "Viridis", cmin: 0, cmax: mesh.value_max,
        showscale: all.findIndex((other) => other.values) === k, colorbar: { title: { text: mesh.value_name }, len: 0.7 },
        hovertemplate: "%{intensity:.1f} mm<extra>" + mesh.name.replaceAll("_", " ") + "</extra>" });
    }
    return one;
  }

  function draw3d(item, node, picture, byValue) {
    if (!window.Plotly) { picture.remove(); node.replaceWith(make("p", { class: "note" }, "Made without the 3D view.")); return; }
    const axis = { visible: false };
    const layout = { margin: { l: 0, r: 0, t: 0, b: 0 }, uirevision: "kept", scene: { aspectmode: "data", xaxis: axis, yaxis: axis, zaxis: axis, camera: { eye: { x: -1.2, y: -1.5, z: 0.4 } } }, legend: { x: 0, y: 1 } };
    const traces = item.meshes.map((mesh, k, all) => trace(mesh, k, all, byValue));
    // paper shows a picture of the view as it was last turned: browsers print the canvas badly, or not at all
    const still = () => window.Plotly.toImage(node, { format: "png", width: 1000, height: 520 }).then((url) => { picture.src = url; });
    window.Plotly.react(node, traces, layout, { displaylogo: false, responsive: true }).then(() => {
      node.removeAllListeners("plotly_relayout");
      node.on("plotly_relayout", still);
      return still();
    });
  }

  const DIGITS = { mm2: 0, "%": 1, "1/mm": 3, "1/mm2": 4 };

  function unique(values) { return [...new Set(values)]; }

  // a table a structure: a row a region, a column a measure; how they were measured stands below
  function structureTable(name, all) {
    const kinds = unique(all.map((m) => m.measure)), regions = unique(all.map((m) => m.region));
    const unit = (kind) => (all.find((m) => m.measure === kind) || {}).unit;
    const cell = (region, kind) => {
      const m = all.find((one) => one.region === region && one.measure === kind);
      if (!m) return make("td");
      const range = m.range ? make("small", {}, ` (${m.range[0]} to ${m.range[1]})`) : null;
      return make("td", { class: outside(m.range, m.value) ? "out" : "" }, number(m.value, DIGITS[m.unit]), range);
    };
    const head = make("tr", {}, make("th", {}, "region"), ...kinds.map((kind) => make("th", {}, `${kind.replaceAll("_", " ")}, ${unit(kind)}`)));
    const rows = regions.map((region) => make("tr", {}, make("td", {}, region.replaceAll("_", " ")), ...kinds.map((kind) => cell(region, kind))));
    const how = kinds.map((kind) => `${kind.replaceAll("_", " ")}: ${unique(all.filter((m) => m.measure === kind).map((m) => m.method)).join("; ")}`);
    return make("div", { class: "structure" }, make("h3", {}, name.replaceAll("_", " ")),
      make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))), make("p", { class: "how" }, how.join(". ") + "."));
  }

  function measures(item) {
    if (!item.measures.length) return make("p", { class: "note" }, "No biomarkers lie beside these results; kc_biomarkers makes them.");
    const structures = unique(item.measures.map((m) => m.structure));
    return make("div", { id: "measures" }, ...structures.map((name) => structureTable(name, item.measures.filter((m) => m.structure === name))));
  }

  function volumes(item) {
    const rows = Object.entries(item.volumes_ml || {}).map(([name, ml]) => {
      const range = data.ranges[name];
      return make("tr", {}, make("td", {}, name.replaceAll("_", " ")), make("td", { class: outside(range, ml) ? "out" : "" }, number(ml, 2)), make("td", {}, range ? `${range[0]} to ${range[1]}` : ""));
    });
    const head = make("tr", {}, make("th", {}, "volume"), make("th", {}, "ml"), make("th", {}, "expected, ml"));
    return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
  }

  function flags(item) {
    const checked = item.training_cases > 0;
    if (checked && !item.flags.length) return make("p", { class: "fine" }, `Nothing was noticed that is unlike the ${item.training_cases} training cases.`);
    const found = item.flags.length ? [make("strong", {}, "Reasons for doubt"), make("ul", {}, ...item.flags.map((f) => make("li", {}, f)))] : [];
    if (!checked) found.push(make("p", { class: "unchecked" }, "Not held against training cases: the model has no limits; kc_quality --learn makes them."));
    return make("div", { class: "flags" }, ...found);
  }

  function showCase(item) {
    const order = ordered(columns()).filter((c) => !c.error);
    const at = order.indexOf(item), next = order[at + 1], before = order[at - 1];
    const go = (other, text) => (other ? make("a", { href: "#case=" + encodeURIComponent(other.name) }, text) : null);
    const view = make("div", { class: "view", id: "view3d" }), picture = make("img", { class: "paper", alt: "", id: "picture3d" });
    let shown = true;
    const toggle = make("button", { type: "button", onclick: () => {
      shown = !shown;
      for (const image of root.querySelectorAll("img.contours")) image.style.visibility = shown ? "" : "hidden";
    } }, "contours on or off");
    let byValue = true;
    const recolour = make("button", { type: "button", onclick: () => { byValue = !byValue; draw3d(item, view, picture, byValue); } }, "colours by thickness or by structure");
    const coloured = window.Plotly && (item.meshes || []).some((mesh) => mesh.values);
    const maps = item.maps.map((m) => make("figure", { style: "background:none;padding:0" }, make("img", { src: m.image, alt: m.name })));
    root.replaceChildren(
      make("div", { class: "bar noprint" }, make("a", { href: "#" }, "all images"), go(before, "previous"), go(next, "next"), make("button", { type: "button", onclick: () => window.print() }, "print")),
      make("h1", {}, item.name), make("p", { class: "note" }, item.text), flags(item),
      make("div", { class: "bar" }, toggle, legend()),
      make("div", { class: "planes" }, ...item.planes.map(viewer)),
      make("h2", {}, "In three dimensions"), ...(coloured ? [make("div", { class: "bar noprint" }, recolour)] : []), view, picture,
      ...(maps.length ? [make("h2", {}, "Maps"), make("div", { class: "maps" }, ...maps)] : []),
      make("h2", {}, "Volumes"), volumes(item), make("h2", {}, "Biomarkers"), measures(item),
      make("h2", {}, "The model"), make("p", { class: "note" }, data.model.text), make("p", { class: "note" }, data.model.selection), modelTable(), footer(),
    );
    draw3d(item, view, picture, byValue);
    window.scrollTo(0, 0);
  }

  function footer() { return make("footer", {}, data.footer); }

  function route() {
    const name = decodeURIComponent((location.hash.match(/^#case=(.*)$/) || [])[1] || "");
    const item = data.cases.find((c) => c.name === name && !c.error);
    if (item) showCase(item); else showCohort();
  }
  window.addEventListener("hashchange", route);
  route();
})();
