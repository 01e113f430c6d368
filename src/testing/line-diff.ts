import type { JsonValue } from '../contracts/json.ts'
import { displayed, displayedJson } from './displayed.ts'
import type { Difference } from './differences.ts'

/** A line of a diff: what was expected, or what is there instead. */
export interface DiffLine {
  readonly sign: '-' | '+'
  readonly text: string
}

/** A page full; whoever has more differences than this has one mistake that makes them all. */
const MOST_DIFFERENCES = 30

const LONGEST_VALUE = 160
/** So much of what is alike is shown before the first character that differs. */
const BEFORE_DIFFERENCE = 40

/** Differences as lines `path: value`, first what was expected, then what is there. */
export function lineDiff(found: readonly Difference[]): DiffLine[] {
  const lines = found.slice(0, MOST_DIFFERENCES).flatMap(({ path, expected, got }): DiffLine[] => {
    const [wanted, there] = excerpts(json(expected), json(got))
    return [
      ...(wanted === null ? [] : [{ sign: '-', text: labelled(path, wanted) } as const]),
      ...(there === null ? [] : [{ sign: '+', text: labelled(path, there) } as const]),
    ]
  })
  const more = found.length - MOST_DIFFERENCES
  return more > 0 ? [...lines, { sign: '+', text: `… and ${more} more differences` }] : lines
}

function labelled(path: string, value: string): string {
  return path === '' ? value : `${displayed(path)}: ${value}`
}

function json(value: JsonValue | undefined): string | null {
  return value === undefined ? null : displayedJson(value)
}

/** Both texts, cut to where they differ when they are long. */
function excerpts(one: string | null, other: string | null): [string | null, string | null] {
  let same = 0
  if (one !== null && other !== null) while (same < one.length && one[same] === other[same]) same++
  return [cut(one, same), cut(other, same)]
}

function cut(text: string | null, same: number): string | null {
  if (text === null || text.length <= LONGEST_VALUE) return text
  const start = same <= LONGEST_VALUE - BEFORE_DIFFERENCE ? 0 : same - BEFORE_DIFFERENCE
  const end = start + LONGEST_VALUE
  return `${start > 0 ? '…' : ''}${text.slice(start, end).toWellFormed()}${end < text.length ? '…' : ''}`
}
