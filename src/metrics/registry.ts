/**
 * Metrics in Prometheus' text format. Each thread has its own cells; a scrape sums the snapshots of
 * all threads (aggregate.ts). Label strings are made once per combination, so an observation costs
 * a Map lookup. Upstream: component-base/metrics.
 */

export type MetricType = "counter" | "gauge" | "histogram";
export type Stability = "ALPHA" | "BETA" | "STABLE";

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly stability?: Stability;
}
export interface GaugeOptions extends MetricOptions {
  /** A scrape shows the greatest of the threads' values, not their sum: for what is or is not. */
  readonly greatest?: true;
}
export interface HistogramOptions extends MetricOptions {
  readonly buckets: readonly number[];
}

/** One thread's values of one metric: plain data, to send to the thread that is scraped. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly buckets: readonly number[];
  /** Of a gauge: threads do not add up. */
  readonly greatest?: true;
  /** Rendered labels to values: [value], or [bucket counts..., +Inf count, sum] of a histogram. */
  readonly cells: readonly (readonly [string, readonly number[]])[];
}

/** Combinations of labels a metric may have; what comes beyond is counted under one more cell. */
const CELLS_MAX = 20_000;
const OVERFLOW = 'overflow="true"';

abstract class Metric {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly #rendered = new Map<string, string>();
  protected readonly cells = new Map<string, number[]>();

  constructor({ name, help, labels = [], stability = "ALPHA" }: MetricOptions) {
    this.name = name;
    this.help = `[${stability}] ${help}`;
    this.labels = labels;
  }
  protected abstract empty(): number[];
  abstract snapshot(): MetricSnapshot;

  /** The cell of these label values, in the order of `labels`. */
  protected cell(values: readonly string[]): number[] {
    const key = values.length === 1 ? (values[0] ?? "") : values.join("\u0000");
    let labels = this.#rendered.get(key);
    if (labels === undefined) {
      labels = this.cells.size < CELLS_MAX ? this.#render(values) : OVERFLOW;
      if (this.cells.size < CELLS_MAX) this.#rendered.set(key, labels);
    }
    let cell = this.cells.get(labels);
    if (cell === undefined) {
      cell = this.empty();
      this.cells.set(labels, cell);
    }
    return cell;
  }
  #render(values: readonly string[]): string {
    return this.labels.map((label, i) => `${label}="${escapeLabel(values[i] ?? "")}"`).join(",");
  }

  /** In place: cells that bind() has given out stay in use. */
  reset(): void {
    for (const cell of this.cells.values()) cell.fill(0);
  }
}

const escapeLabel = (text: string) =>
  text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

export class Counter extends Metric {
  protected override empty = () => [0];
  inc(...labels: string[]): void {
    this.add(1, ...labels);
  }
  add(amount: number, ...labels: string[]): void {
    this.bind(...labels)(amount);
  }
  /** For hot paths: adds to the cell of these labels without looking it up again. */
  bind(...labels: string[]): (amount: number) => void {
    const cell = this.cell(labels);
    return (amount) => {
      cell[0] = (cell[0] ?? 0) + amount;
    };
  }
  override snapshot(): MetricSnapshot {
    return { ...this.#head, cells: [...this.cells] };
  }
  get #head() {
    return { name: this.name, help: this.help, type: "counter" as const, buckets: [] };
  }
}

export class Gauge extends Metric {
  readonly #greatest: boolean;

  constructor(options: GaugeOptions) {
    super(options);
    this.#greatest = options.greatest ?? false;
  }
  protected override empty = () => [0];
  set(value: number, ...labels: string[]): void {
    this.cell(labels)[0] = value;
  }
  add(amount: number, ...labels: string[]): void {
    this.bind(...labels)(amount);
  }
  /** As Counter.bind. */
  bind(...labels: string[]): (amount: number) => void {
    const cell = this.cell(labels);
    return (amount) => {
      cell[0] = (cell[0] ?? 0) + amount;
    };
  }
  override snapshot(): MetricSnapshot {
    const { name, help } = this;
    const greatest = this.#greatest ? { greatest: true as const } : {};
    return { name, help, type: "gauge", buckets: [], ...greatest, cells: [...this.cells] };
  }
}

export class Histogram extends Metric {
  readonly #buckets: readonly number[];

  constructor(options: HistogramOptions) {
    super(options);
    this.#buckets = options.buckets;
  }
  protected override empty = () => Array<number>(this.#buckets.length + 2).fill(0);

  observe(value: number, ...labels: string[]): void {
    this.bind(...labels)(value);
  }
  /** As Counter.bind. */
  bind(...labels: string[]): (value: number) => void {
    const cell = this.cell(labels);
    const buckets = this.#buckets;
    return (value) => {
      let bucket = 0;
      while (bucket < buckets.length && value > (buckets[bucket] ?? 0)) bucket++;
      cell[bucket] = (cell[bucket] ?? 0) + 1;
      const sum = cell.length - 1;
      cell[sum] = (cell[sum] ?? 0) + value;
    };
  }
  override snapshot(): MetricSnapshot {
    const { name, help } = this;
    return { name, help, type: "histogram", buckets: this.#buckets, cells: [...this.cells] };
  }
}

export class MetricRegistry {
  readonly #metrics = new Map<string, Metric>();
  readonly #collectors: (() => void)[] = [];

  counter(options: MetricOptions): Counter {
    return this.#add(new Counter(options));
  }
  gauge(options: GaugeOptions): Gauge {
    return this.#add(new Gauge(options));
  }
  histogram(options: HistogramOptions): Histogram {
    return this.#add(new Histogram(options));
  }
  /** Runs before each scrape, to set gauges that nobody keeps up to date. */
  onCollect(collect: () => void): void {
    this.#collectors.push(collect);
  }
  snapshot(): MetricSnapshot[] {
    for (const collect of this.#collectors) collect();
    return [...this.#metrics.values()].map((metric) => metric.snapshot());
  }
  /** DELETE /metrics. */
  reset(): void {
    for (const metric of this.#metrics.values()) metric.reset();
  }

  #add<T extends Metric>(metric: T): T {
    if (this.#metrics.has(metric.name)) throw new Error(`metric ${metric.name} exists already`);
    this.#metrics.set(metric.name, metric);
    return metric;
  }
}

/** This thread's registry. */
export const metrics = new MetricRegistry();
