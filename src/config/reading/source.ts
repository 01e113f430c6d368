import { type Document, LineCounter, parseDocument } from 'yaml'

/** The text of a refiner-sync.yaml and what the YAML parser made of it. */
export interface Source {
  readonly file: string
  /** Without a byte order mark. */
  readonly text: string
  readonly document: Document.Parsed
  readonly lines: LineCounter
}

/**
 * Parses the text; syntax errors are in the document. The core schema holds whatever a `%YAML 1.1` directive says, for
 * there `no` is false and `1:30` is 90. Duplicate keys are found by places.ts, which can name them without a leak.
 */
export function parseSource(file: string, given: string): Source {
  const text = given.startsWith('\uFEFF') ? given.slice(1) : given
  const document = parseDocument(text, {
    prettyErrors: false,
    schema: 'core',
    uniqueKeys: false,
  })
  return { file, text, document, lines: linesOf(text) }
}

/** Counted here, for behind broken YAML the parser misses some. */
function linesOf(text: string): LineCounter {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1)
  return lines
}
