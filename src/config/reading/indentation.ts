import { type Document, isNode, type YAMLError } from 'yaml'
import { error, type Finding } from '../telling/finding.ts'

/** By their numbers, from 1. */
type Lines = Pick<ReadonlySet<number>, 'has'>

/**
 * A line that starts at a column where none can, if that is what an error of the parser comes from; `follows` for one
 * that only follows from such a line before it.
 *
 * @param told lines with a mistake before this one
 */
export function indentationProblem(
  found: YAMLError,
  { contents, errors }: Document.Parsed,
  text: string,
  told: Lines,
): Finding | 'follows' | null {
  const [at] = found.pos
  if (found.code === 'BAD_INDENT') {
    return /same column/.test(found.message) ? wrongIndentation(at, text, told) : null
  }
  if (found.code === 'BLOCK_AS_IMPLICIT_KEY' && /sequence/.test(found.message)) {
    return wrongIndentation(at, text, told)
  }
  if (IMPLICIT_KEY.test(found.code)) {
    // `port: 1` and deeper below it `host: x`: the parser takes `1 host` for a key over two lines.
    const both = errors.filter(({ code, pos }) => pos[0] === at && IMPLICIT_KEY.test(code))
    const key = both.find(({ code }) => code === 'MULTILINE_IMPLICIT_KEY')
    return key === undefined || both.length < 2 ? null : wrongIndentation(key.pos[1] - 1, text, told)
  }
  // The first line is indented, a later one is not.
  const start = isNode(contents) ? contents.range[0] : 0
  const isOutside = /at node end/.test(found.message) && columnOf(at, text) === 0 && at > start
  return isOutside && columnOf(start, text) > 0 ? wrongIndentation(start, text, told) : null
}

const IMPLICIT_KEY = /IMPLICIT_KEY$/

/** @param inLine any offset within the line, or at its start */
function wrongIndentation(inLine: number, text: string, told: Lines): Finding | 'follows' {
  const start = contentFrom(inLine - columnOf(inLine, text), text)
  const found = /^ */.exec(text.slice(start))![0].length
  const before = text.slice(0, start).split('\n')
  const ofItems = text.startsWith('- ', start + found)
  const columns = openColumns(before, ofItems, told)
  if (columns.includes(found) || openColumns(before, ofItems, NO_LINES).includes(found)) return 'follows'
  const below = columns.find((column) => column < found)
  const above = columns.findLast((column) => column > found)
  const expected = [below, above].filter((column) => column !== undefined)
  const hint =
    expected.length === 0
      ? 'keys of the top level start at the beginning of the line'
      : `spaces before it: expected ${expected.join(' or ')}, found ${found}`
  return error('yaml_syntax', start + found, 'wrong indentation', hint)
}

const NO_LINES: Lines = new Set()

/** The columns of the keys, or of the items of lists, that a next line could go on from; the deepest first. */
function openColumns(before: readonly string[], ofItems: boolean, ignored: Lines): number[] {
  const start = ofItems ? /^( *)- / : /^([ -]*)[^\s#-].*?:(?:\s|$)/
  const columns: number[] = []
  for (let at = before.length - 1; at >= 0; at -= 1) {
    const column = ignored.has(at + 1) ? undefined : start.exec(before[at]!)?.[1]!.length
    if (column !== undefined && column < (columns.at(-1) ?? Infinity)) columns.push(column)
  }
  return columns
}

/** The start of the first line, from this start of one, that holds more than a comment: the parser names the gap before. */
function contentFrom(start: number, text: string): number {
  return start + /^(?:[ \t]*(?:#.*)?\r?\n)*/.exec(text.slice(start))![0].length
}

function columnOf(offset: number, text: string): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1)
}
