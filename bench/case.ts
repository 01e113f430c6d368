/** What a case measures with. */
export interface Bench {
  /** Of one measurement. */
  readonly seconds: number
  /** How the daemon is started, without arguments: from its sources, or the compiled binary. */
  readonly program: readonly string[]
  /** Says on the terminal what is being done. */
  say(text: string): void
}

/** One row of the table. */
export interface Case {
  /** Short and stable: `--only` and the history go by it. */
  readonly name: string
  readonly what: string
  readonly against: string
  run(bench: Bench): Promise<readonly Figure[]>
}

export type Aim = { readonly atLeast: number } | { readonly below: number }

/** One figure of a row. */
export interface Figure {
  /** Stable within its row; the history goes by both. */
  readonly name: string
  /** Null: there was nothing to measure it with, as `raw` says. */
  readonly value: number | null
  /** Of the value: none for a ratio. */
  readonly unit: '×' | 'ms' | 's' | 'MB'
  /** Null: it is there to be seen; lower is better then. */
  readonly aim: Aim | null
  /** How far the rounds were apart, as a share of the value; 0 for a single round. */
  readonly spread: number
  /** What was measured, in its own units. */
  readonly raw: string
}

/** Null when there is no aim or no value. */
export function isMet({ value, aim }: Pick<Figure, 'value' | 'aim'>): boolean | null {
  if (value === null || aim === null) return null
  return 'atLeast' in aim ? value >= aim.atLeast : value < aim.below
}

/** A figure that could not be measured, and why. */
export function notMeasured(name: string, aim: Aim | null, why: string): Figure {
  return { name, value: null, unit: '×', aim, spread: 0, raw: `not measured: ${why}` }
}
