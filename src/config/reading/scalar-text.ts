import type { Scalar } from 'yaml'

/**
 * Where the signs of a value stand in the file. YAML has five ways to write a text, and in four of them a sign of the
 * value is not simply as far from the start as in the file: quotes and escapes, folded lines, indentation.
 */

/**
 * The offset in the file of a sign of a value.
 *
 * @param file the text of the file
 * @param value what the scalar was read as
 * @param at index into the value; its length is the place right behind it, line breaks at its end left aside
 * @returns null where the value is not the scalar's own text, as after a `${…}`
 */
export function offsetInScalar(file: string, scalar: Scalar, value: string, at: number): number | null {
  const [start, end] = scalar.range ?? [0, 0]
  const trace = traced(file.slice(start, end), scalar)
  if (trace.text !== value) return null
  const index = at < value.length ? Math.max(0, at) : value.replace(/\n+$/, '').length
  return start + trace.offsets[index]!
}

function traced(raw: string, { type, value }: Scalar): Trace {
  const trace = new Trace()
  switch (type) {
    case 'QUOTE_DOUBLE':
    case 'QUOTE_SINGLE':
      traceFlow(trace, raw.slice(0, -1), 1, type === 'QUOTE_DOUBLE')
      break
    case 'BLOCK_LITERAL':
    case 'BLOCK_FOLDED':
      traceBlock(trace, raw, type === 'BLOCK_FOLDED', String(value))
      break
    case 'PLAIN':
    case undefined:
      traceFlow(trace, raw, 0, false)
  }
  return trace
}

/** A text as YAML makes it from the file, with the offset of each of its UTF-16 units and of what follows. */
class Trace {
  text = ''
  offsets: number[] = []

  add(text: string, offset: number): void {
    this.text += text
    this.offsets.push(...Array.from({ length: text.length }, () => offset))
  }

  /** Ends the text; what it has beyond a length goes. */
  end(offset: number, length = this.text.length): void {
    const from = this.offsets[length] ?? offset
    this.text = this.text.slice(0, length)
    this.offsets = [...this.offsets.slice(0, length), from]
  }
}

/** Plain texts and those in quotes, YAML 1.2.2 section 7.3. */
function traceFlow(trace: Trace, raw: string, from: number, escapes: boolean): void {
  let at = from
  while (at < raw.length) {
    const fold = /^[ \t]*\r?\n\s*/.exec(raw.slice(at))?.[0]
    if (fold !== undefined) {
      traceFold(trace, fold, at)
      at += fold.length
    } else if (escapes && raw[at] === '\\') at += traceEscape(trace, raw.slice(at), at)
    else {
      trace.add(raw[at]!, at)
      at += !escapes && from === 1 && raw.startsWith("''", at) ? 2 : 1
    }
  }
  trace.end(raw.length)
}

/** One line break becomes a space, several become one fewer. */
function traceFold(trace: Trace, fold: string, at: number): void {
  const breaks = [...fold.matchAll(/\n/g)].map(({ index }) => at + index)
  if (breaks.length === 1) trace.add(' ', breaks[0]!)
  else for (const offset of breaks.slice(1)) trace.add('\n', offset)
}

const ESCAPES: Readonly<Record<string, string>> = {
  0: '\0',
  a: '\u0007',
  b: '\b',
  e: '\u001B',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  N: '\u0085',
  _: '\u00A0',
  L: '\u2028',
  P: '\u2029',
}

/** Answers how long the escape is. */
function traceEscape(trace: Trace, raw: string, at: number): number {
  const joint = /^\\\r?\n[ \t]*/.exec(raw)?.[0]
  if (joint !== undefined) return joint.length
  const [code, digits] =
    /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(raw)?.filter(Boolean) ?? []
  if (code !== undefined && digits !== undefined) {
    trace.add(String.fromCodePoint(Number.parseInt(digits, 16)), at)
    return code.length
  }
  const sign = raw[1] ?? ''
  trace.add(ESCAPES[sign] ?? sign, at)
  return 2
}

/** Texts below `|` and `>`, YAML 1.2.2 section 8.1. The indentation is told by the value: its first line has none. */
function traceBlock(trace: Trace, raw: string, folded: boolean, value: string): void {
  const header = raw.indexOf('\n') + 1
  const lines = linesOf(raw, header)
  const spaces = (text: string | undefined) => /^ */.exec(text ?? '')![0].length
  const first = lines.find(({ text }) => text.trim() !== '')
  const indent = spaces(first?.text) - spaces(value.split('\n').find((line) => line.trim() !== ''))
  let before: 'none' | 'text' | 'spaced' = 'none'
  let open: number[] = []
  for (const { text, at } of lines) {
    const content = text.slice(indent)
    if (content === '') {
      open.push(at + text.length)
      continue
    }
    const kind = /^[ \t]/.test(content) ? 'spaced' : 'text'
    traceBreaks(trace, open, folded && before === 'text' && kind === 'text')
    for (let index = 0; index < content.length; index += 1) trace.add(content[index]!, at + indent + index)
    before = kind
    open = [at + text.length]
  }
  traceBreaks(trace, open, false)
  trace.end(raw.length, value.length)
}

/** @param fold whether what is before and after goes on as one line */
function traceBreaks(trace: Trace, breaks: readonly number[], fold: boolean): void {
  if (fold && breaks.length === 1) trace.add(' ', breaks[0]!)
  else for (const offset of fold ? breaks.slice(1) : breaks) trace.add('\n', offset)
}

interface Line {
  readonly text: string
  readonly at: number
}

function linesOf(raw: string, from: number): Line[] {
  let at = from
  const lines = raw.slice(from).split('\n')
  if (lines.at(-1)?.trim() === '') lines.pop()
  return lines.map((text) => {
    const line = { text: text.replace(/\r$/, ''), at }
    at += text.length + 1
    return line
  })
}
