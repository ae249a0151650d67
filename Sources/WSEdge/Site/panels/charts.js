import * as format from "../format.js";
import { colour, onTheme } from "../theme.js";

const seconds = 120;

/** Rows per second and latency of the last two minutes. A second without a connection is a gap in the lines. */
export class Charts {
  #rates = [];
  #medians = [];
  #worsts = [];
  #rateChart;
  #latencyChart;
  #recent = [];

  constructor() {
    for (const series of [this.#rates, this.#medians, this.#worsts]) {
      for (let x = -seconds; x <= 0; x += 1) series.push({ x, y: null });
    }
    // Debian's Chart.js may not be there; the numbers are.
    if (!globalThis.Chart) return;
    this.#rateChart = this.#make("rate", [this.#rates], {
      beginAtZero: true, suggestedMax: 10, ticks: { maxTicksLimit: 4, precision: 0 },
    });
    this.#latencyChart = this.#make("latency", [this.#medians, this.#worsts], {
      type: "logarithmic", suggestedMin: 1, suggestedMax: 1000,
      ticks: { autoSkip: false, callback: (value) => (Number.isInteger(Math.log10(value)) ? format.span(value) : null) },
    });
    onTheme(() => this.#paint());
  }

  #make(id, series, y) {
    return new Chart(document.getElementById(id), {
      type: "line",
      data: { datasets: series.map((data) => ({ data })) },
      options: {
        animation: false, parsing: false, normalized: true, responsive: true, maintainAspectRatio: false, events: [],
        layout: { padding: { top: 4 } },
        plugins: { legend: { display: false }, tooltip: { enabled: false } },
        elements: { point: { radius: 0 }, line: { borderWidth: 1.5, tension: 0 } },
        scales: {
          x: {
            type: "linear", min: -seconds, max: 0, grid: {},
            ticks: { stepSize: 30, maxRotation: 0, callback: (value) => (value ? `${-value} s` : "now") },
          },
          y: { grid: {}, afterFit: (axis) => (axis.width = 54), ...y },
        },
      },
    });
  }

  #paint() {
    const [ink, line] = [colour("muted"), colour("line")];
    for (const chart of [this.#rateChart, this.#latencyChart]) {
      for (const axis of Object.values(chart.options.scales)) {
        Object.assign(axis.ticks, { color: ink, font: { size: 11, family: getComputedStyle(document.body).fontFamily } });
        Object.assign(axis.grid, { color: line, borderColor: line, tickLength: 4 });
      }
    }
    const paint = (set, name, filled) =>
      Object.assign(set, { borderColor: colour(name), backgroundColor: colour(`${name}-tint`), fill: filled });
    paint(this.#rateChart.data.datasets[0], "accent", "origin");
    paint(this.#latencyChart.data.datasets[0], "accent", false);
    paint(this.#latencyChart.data.datasets[1], "second", false);
    this.#draw();
  }

  #draw() {
    this.#rateChart?.update("none");
    this.#latencyChart?.update("none");
  }

  /** Once a second. */
  add({ rate, median, worst }, isLive) {
    const push = (series, y) => {
      for (let index = 1; index < series.length; index += 1) series[index - 1].y = series[index].y;
      series.at(-1).y = y;
    };
    push(this.#rates, isLive ? rate : null);
    push(this.#medians, median === null ? null : Math.max(median, 1));
    push(this.#worsts, worst === null ? null : Math.max(worst, 1));
    if (!document.hidden) this.#draw();

    // A number that is read should not dance: the mean of some seconds.
    this.#recent = isLive ? [...this.#recent.slice(-4), rate] : [];
    const mean = this.#recent.reduce((sum, each) => sum + each, 0) / this.#recent.length;
    const write = (id, text) => (document.getElementById(id).textContent = text);
    write("rate-value", isLive ? format.rate(mean) : "–");
    write("latency-median", format.span(median));
    write("latency-worst", format.span(worst));
  }
}
