import type { ShownBackfill } from '../console/backfills.ts'

const WIDTH = 24
/** The pace is that of so long a time: long enough to be steady, short enough to be of now. In ms. */
const PACE_MS = 15_000

interface Seen {
  readonly at: number
  readonly read: number
}

/** What a backfill looks like in words. Counts the pace from what it was shown before. */
export class BackfillLines {
  #seen: Seen[] = []

  /** How far one has come, at `now` (in ms on a clock that is never set back), in one line. */
  at(shown: ShownBackfill, now: number): string {
    const { counts, total, waiting_for } = shown
    this.#see({ at: now, read: counts.read })
    const pace = this.#pace()
    const left = total === null || pace === null || pace <= 0 ? null : Math.max(0, total - counts.read) / pace
    const parts = [
      progress(counts.read, total),
      pace === null ? '' : `${number(Math.round(pace))}/s`,
      left === null ? '' : `about ${duration(left)} left`,
      outcomes(shown).join(', '),
      waiting_for === null ? '' : `waits for ${waiting_for}`,
    ]
    return parts.filter((part) => part !== '').join('  ')
  }

  /** One that has come to an end, or waits. */
  end(shown: ShownBackfill): string[] {
    const { backfill, state, reason, counts, mode } = shown
    const first = `backfill ${backfill} is ${state}${reason === null ? '' : `: ${reason}`}`
    const second = [`${number(counts.read)} responses read`, ...outcomes(shown)].join(', ')
    const lines = [first, `  ${second}`]
    if (counts.contacts > 0) {
      lines.push(`  ${number(counts.contacts)} contacts read, ${number(counts.contacts_kept)} kept`)
    }
    if (state === 'done' && mode === 'store-only') {
      lines.push('  nothing was sent; the same command with --to-segment sends it')
    }
    if (state === 'paused' || state === 'failed') lines.push('  to go on: backfill --tenant … --resume')
    return lines
  }

  /** One in a list. */
  record(shown: ShownBackfill): string {
    const { backfill, at, tenant, by, mode, since, until, surveys, contacts, state, reason, counts } = shown
    const what = [
      ...(since === null ? [] : [`since ${since}`, `until ${until}`]),
      ...surveys.map((survey) => `survey ${survey}`),
      ...(contacts ? ['contacts'] : []),
    ]
    const why = reason === null ? '' : ` (${reason})`
    const came = [`${number(counts.read)} read`, ...outcomes(shown)].join(', ')
    return `${String(backfill).padStart(4)}  ${at}  ${by}  ${tenant}  ${mode}  ${what.join(' ')}: ${state}${why}, ${came}`
  }

  #see(seen: Seen): void {
    this.#seen.push(seen)
    while (this.#seen.length > 2 && this.#seen[1]!.at < seen.at - PACE_MS) this.#seen.shift()
  }

  /** Responses a second; null as long as nothing can be said. */
  #pace(): number | null {
    const [first, last] = [this.#seen[0]!, this.#seen.at(-1)!]
    return last.at - first.at < 1000 ? null : ((last.read - first.read) * 1000) / (last.at - first.at)
  }
}

function progress(read: number, total: number | null): string {
  if (total === null || total === 0) return `${number(read)} responses`
  // What is new meanwhile, and what several days name, is beyond the number that was given at first.
  const share = Math.min(1, read / total)
  const full = Math.round(share * WIDTH)
  const bar = `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}]`
  return `${bar} ${number(read)} of ${number(total)}, ${Math.floor(share * 100)}%`
}

/** What came of it, as far as anything did. */
function outcomes({ counts, mode }: ShownBackfill): string[] {
  const all: [number, string][] = [
    [counts.taken, mode === 'store-only' ? 'kept' : 'taken'],
    [counts.known, 'known before'],
    [counts.left_out, 'left out'],
    [counts.forgotten, 'forgotten'],
    [counts.messages, 'messages'],
    [counts.copies, 'messages made before'],
    [counts.skipped, 'skipped'],
    [counts.dead, 'dead'],
  ]
  return all.filter(([count]) => count > 0).map(([count, name]) => `${number(count)} ${name}`)
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
