import { KEY_PLACES } from '../schema-steps.ts'
import type { Source } from '../reading/source.ts'

/**
 * Source lines for messages. Nothing of a line is shown unless it is known to be harmless: keys and values that
 * places.ts vouches for, the schema's own key names, and YAML's punctuation. Comments and all else are masked, since a
 * secret turns up anywhere once quotes, colons or indentation are wrong.
 */

/** A part of the text that may be shown. */
export interface Shown {
  readonly start: number
  readonly end: number
  readonly what: 'key' | 'unknown_key' | 'value'
}

export interface Excerpt {
  readonly text: string
  /** Where the offset asked for is within `text`, from 1. */
  readonly caret: number
}

interface Piece {
  /** Offsets in the source. */
  readonly start: number
  readonly end: number
  readonly text: string
}

const MASK = '***'
const WIDEST = 100

/** The line that holds the offset; null when there is nothing on it. */
export function excerptAt(source: Source, offset: number, shown: readonly Shown[]): Excerpt | null {
  const start = source.text.lastIndexOf('\n', offset - 1) + 1
  const end = source.text.indexOf('\n', start)
  const line = source.text.slice(start, end === -1 ? undefined : end).trimEnd()
  if (line === '') return null
  return narrowed(joined(piecesOf(line, start, shown), offset))
}

/** A line of which all may be shown, cut and cleaned as excerpts are. */
export function plainLine(line: string, column: number): Excerpt {
  return narrowed({ text: visible(line.trimEnd()), caret: column })
}

function piecesOf(line: string, start: number, shown: readonly Shown[]): Piece[] {
  const pieces: Piece[] = []
  let at = start
  for (const span of showable(shown, start, start + line.length)) {
    if (span.start < at) continue
    pieces.push(...maskedPieces(line.slice(at - start, span.start - start), at))
    pieces.push({ ...span, text: line.slice(span.start - start, span.end - start) })
    at = span.end
  }
  return [...pieces, ...maskedPieces(line.slice(at - start), at)]
}

/** The spans within a line, in order; beside an unknown key no value is to be trusted. */
function showable(shown: readonly Shown[], start: number, end: number): Shown[] {
  const here = shown.filter((span) => span.start >= start && span.end <= end)
  const doubtful = here.some(({ what }) => what === 'unknown_key')
  return here.filter(({ what }) => !doubtful || what !== 'value').sort((a, b) => a.start - b.start)
}

/** Text of which nothing is known, word by word: punctuation and the schema's keys stay, the rest becomes a mask. */
function maskedPieces(text: string, start: number): Piece[] {
  const comment = /(^|\s)#/.exec(text)
  const known = comment === null ? text : text.slice(0, comment.index)
  const pieces: Piece[] = []
  for (const { 0: word, index } of known.matchAll(/\s+|\S+/g)) {
    const kept = harmlessPrefix(word)
    const at = start + index
    if (kept > 0) pieces.push({ start: at, end: at + kept, text: word.slice(0, kept) })
    const comma = word.length > kept && word.endsWith(',') ? 1 : 0
    const end = at + word.length
    if (kept < word.length) pushMask(pieces, { start: at + kept, end: end - comma, text: MASK })
    if (comma > 0) pieces.push({ start: end - comma, end, text: ',' })
  }
  return pieces
}

/** Several masked words in a row become one mask, so that not even their number shows. */
function pushMask(pieces: Piece[], mask: Piece): void {
  const [before, gap] = pieces.slice(-2)
  if (before?.text !== MASK || gap === undefined || gap.text.trim() !== '') pieces.push(mask)
  else pieces.splice(-2, 2, { ...before, end: mask.end })
}

function harmlessPrefix(word: string): number {
  if (/^\s+$/.test(word) || /^(---|[-?:,{}[\]]{1,2})$/.test(word)) return word.length
  const key = /^(-?[{[]?["']?)([a-z_]+)["']?:/.exec(word)
  return key !== null && KEY_PLACES.has(key[2]!) ? key[0].length : 0
}

function joined(pieces: readonly Piece[], offset: number): Excerpt {
  let text = ''
  let caret: number | null = null
  for (const piece of pieces) {
    if (caret === null && offset < piece.end) caret = text.length + 1 + inside(piece, offset)
    text += piece.text
  }
  const shown = visible(text.trimEnd())
  return { text: shown, caret: caret ?? shown.length + 1 }
}

/** Nothing of the text reaches a terminal as a command. */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (sign) => (sign === '\t' ? sign : '\uFFFD'))
}

function inside(piece: Piece, offset: number): number {
  const exact = piece.text.length === piece.end - piece.start && piece.text !== MASK
  return exact ? Math.max(0, offset - piece.start) : 0
}

/** A long line is cut to what stands around the caret. */
function narrowed({ text, caret }: Excerpt): Excerpt {
  if (text.length <= WIDEST) return { text, caret }
  const from = Math.max(0, Math.min(caret - 1 - WIDEST / 2, text.length - WIDEST))
  const to = from + WIDEST
  const left = from > 0 ? '…' : ''
  return {
    text: left + text.slice(from, to) + (to < text.length ? '…' : ''),
    caret: caret - from + left.length,
  }
}
