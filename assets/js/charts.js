// Charts from data-chart (JSON: x, series[{name, data, dash, area}], type "line" or "bar", stack, every, colors), with the
// colours of the tokens. Loaded only where a page has one. No animation: the data are live.
import { init, use } from "echarts/core";
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);
const charts = new Map();

/** A token's colour as rgb(…), whatever it is mixed from. */
function solid(token) {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  brush.fillStyle = getComputedStyle(probe).color;
  brush.fillRect(0, 0, 1, 1);
  probe.remove();
  const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
  return `rgb(${red},${green},${blue})`;
}

const grouped = (value) => (typeof value === "number" ? String(value).replace(/\B(?=(\d{3})+$)/g, "\u00a0") : value);

function options(told) {
  const axis = {
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: solid("--rl-text-3"), fontSize: 11, hideOverlap: true, formatter: grouped },
    splitLine: { lineStyle: { color: solid("--rl-line-soft") } },
  };
  const bars = told.type === "bar";
  return {
    animation: false,
    color: (told.colors ?? ["--rl-c1", "--rl-c2", "--rl-c3", "--rl-c4", "--rl-c5"]).map(solid),
    textStyle: { fontFamily: "Inter Variable, sans-serif" },
    grid: { left: 4, right: 18, top: 12, bottom: 2, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      trigger: "axis", renderMode: "richText", backgroundColor: solid("--rl-over"), borderWidth: 0, padding: [8, 10],
      textStyle: { color: solid("--rl-over-fg"), fontSize: 12 },
    },
    xAxis: { ...axis, type: "category", data: told.x, boundaryGap: bars,
      axisLabel: { ...axis.axisLabel, interval: told.every ? (index) => index % told.every === 0 : "auto" } },
    yAxis: { ...axis, type: "value", splitNumber: 4, minInterval: 1 },
    series: told.series.map((line, index) => ({
      name: line.name, type: bars ? "bar" : "line", data: line.data, stack: told.stack ? "all" : undefined,
      barMaxWidth: 18, showSymbol: false,
      lineStyle: { width: line.dash ? 1.5 : 2, type: line.dash ? "dashed" : "solid" },
      areaStyle: line.area ? { opacity: told.stack ? 0.5 : 0.1 } : undefined,
      itemStyle: bars && index === told.series.length - 1 ? { borderRadius: [3, 3, 0, 0] } : undefined,
    })),
  };
}

function draw() {
  for (const [place, chart] of charts) {
    if (place.isConnected) continue;
    chart.dispose();
    charts.delete(place);
  }
  for (const place of document.querySelectorAll("[data-chart]")) {
    const chart = charts.get(place) ?? init(place, null, { renderer: "svg" });
    charts.set(place, chart);
    chart.setOption(options(JSON.parse(place.dataset.chart)));
  }
}

draw();
document.addEventListener("htmx:afterSettle", draw);
document.addEventListener("theme:changed", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", () => { for (const chart of charts.values()) chart.resize(); });
