import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure } from './case.ts'
import { areAlike, type Machine } from './machine.ts'
import { type Row, valueText } from './table.ts'

const FILE = join(import.meta.dir, 'history.jsonl')
/** A change of less than this share is noise, whatever the rounds of a run say. */
const NOISE = 0.1

/** One line of the history. */
export interface Run {
  /** ISO 8601. */
  readonly at: string
  readonly commit: string
  /** `sources`, or `binary`. */
  readonly program: string
  readonly machine: Machine
  /** Processes that wanted a core in the minute before, and whether those were too many for figures to be trusted. */
  readonly load: number
  readonly busy: boolean
  /** Of one measurement. */
  readonly seconds: number
  /** By case and figure, such as `message-in ratio`. */
  readonly figures: Readonly<Record<string, Pick<Figure, 'value' | 'unit' | 'aim' | 'spread' | 'raw'>>>
}

export function runOf(rows: readonly Row[], run: Omit<Run, 'figures'>): Run {
  const figures = rows.flatMap(({ case: { name: row }, figures: ofRow }) =>
    ofRow.map(({ name, ...figure }) => [`${row} ${name}`, figure] as const),
  )
  return { ...run, figures: Object.fromEntries(figures) }
}

/**
 * What got worse than it was the last time on a machine like this, by more than the noise of both, as sentences. Each
 * figure is set against the last run that had it. What a busy machine gave is set against nothing.
 */
export function slower(run: Run, earlier: readonly Run[]): string[] {
  if (run.busy) return []
  const alike = earlier.filter(
    (one) => !one.busy && one.program === run.program && areAlike(one.machine, run.machine),
  )
  const sentences: string[] = []
  for (const [name, figure] of Object.entries(run.figures)) {
    const last = alike.findLast((one) => one.figures[name]?.value != null)
    const before = last?.figures[name]
    if (last === undefined || before == null || before.value === null || figure.value === null) continue
    const lowerIsBetter = figure.aim === null || 'below' in figure.aim
    const worse = lowerIsBetter ? figure.value / before.value - 1 : before.value / figure.value - 1
    if (worse <= Math.max(NOISE, figure.spread + before.spread)) continue
    sentences.push(
      `${name}: ${valueText(figure)}, was ${valueText(before)} at ${last.commit} on ${last.at.slice(0, 10)}`,
    )
  }
  return sentences
}

/** All runs so far, oldest first. */
export function readHistory(): Run[] {
  if (!existsSync(FILE)) return []
  const lines = readFileSync(FILE, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Run)
}

export function appendHistory(run: Run): void {
  appendFileSync(FILE, `${JSON.stringify(run)}\n`)
}
