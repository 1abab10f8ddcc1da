// Draws the plots, again whenever the numbers or the theme change, and asks for new numbers while somebody looks.
(() => {
  const EVERY = 15_000; // milliseconds
  let charts = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function dataset(plot, line) {
    return {
      label: line.label,
      data: line.data,
      borderColor: line.colour,
      backgroundColor: plot.kind === "bar" ? line.colour : `${line.colour}33`,
      borderDash: line.dash,
      borderWidth: plot.kind === "bar" ? 0 : 2,
      fill: line.is_filled,
      pointRadius: 0,
      pointHitRadius: 8,
      spanGaps: true,
      tension: 0.2,
      barPercentage: 1,
      categoryPercentage: 0.85,
    };
  }

  function options(plot) {
    const ink = colour("--quiet"), line = colour("--line");
    const ticks = { color: ink, maxRotation: 0, autoSkipPadding: 24 };
    return {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { display: true, position: "bottom", align: "start", labels: { color: ink, boxWidth: 14, boxHeight: 8 } },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.formattedValue} ${plot.unit}`.trim() } },
      },
      scales: {
        x: { stacked: plot.is_stacked, grid: { display: false }, border: { color: line }, ticks },
        y: { stacked: plot.is_stacked, beginAtZero: true, max: plot.highest ?? undefined, grid: { color: line },
             border: { display: false }, ticks: { ...ticks, maxTicksLimit: 6, precision: plot.unit ? undefined : 0 } },
      },
    };
  }

  function draw() {
    charts.forEach((chart) => chart.destroy());
    const numbers = document.getElementById("drawn");
    const drawn = numbers ? JSON.parse(numbers.textContent) : {};
    charts = [...document.querySelectorAll("canvas[data-plot]")].map((canvas) => {
      const plot = drawn[canvas.dataset.plot];
      const datasets = plot.lines.map((line) => dataset(plot, line));
      return new Chart(canvas, { type: plot.kind, data: { labels: plot.labels, datasets }, options: options(plot) });
    });
  }

  function keepFresh(box) {
    box.checked = localStorage.getItem("refresh") !== "off";
    box.addEventListener("change", () => localStorage.setItem("refresh", box.checked ? "on" : "off"));
    setInterval(() => {
      const inUse = document.querySelector("#board details[open]");
      if (box.checked && !document.hidden && !inUse) htmx.trigger("#board", "refresh");
    }, EVERY);
  }

  async function copy(button) {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = "Copied";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) copy(button);
  });
  document.getElementById("choices")?.addEventListener("change", (event) => {
    if (event.target.id !== "refresh") event.currentTarget.submit();
  });
  window.addEventListener("htmx:afterSettle", draw, { capture: true }); // before console.js keeps it from the theme
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  const box = document.getElementById("refresh");
  if (box) keepFresh(box);
  draw();
})();
