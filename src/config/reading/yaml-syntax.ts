import { Lexer, type YAMLError } from 'yaml'
import { error, type Finding } from '../telling/finding.ts'
import { indentationProblem } from './indentation.ts'
import { isOnlyReferences } from './interpolate.ts'
import { parseSource, type Source } from './source.ts'

/**
 * Syntax errors in our own words: the parser's quote the file, and what they quote may be a secret. One mistake tends
 * to cause several errors; the first of each line is kept, and what only follows from one before is left out.
 */
export function checkSyntax(source: Source): Finding[] {
  if (source.document.errors.length + source.document.warnings.length === 0) return []
  const unquoted = unquotedReferences(source.text)
  // Parsed again without them, for the first one derails the parser; the same length keeps every offset.
  const rest = unquoted.reduceRight(
    (text, { at, written }) =>
      text.slice(0, at) + '$'.repeat(written.length) + text.slice(at + written.length),
    source.text,
  )
  const { document, text, lines } = unquoted.length === 0 ? source : parseSource(source.file, rest)
  const byLine = new Map<number, Finding>()
  // Only a matter of taste: a closing brace at the column of the key it belongs to.
  const warnings = document.warnings.filter(({ code }) => code !== 'BAD_INDENT')
  for (const found of [...document.errors, ...warnings]) {
    const indentation = indentationProblem(found, document, text, byLine)
    if (byLine.size > 0 && (indentation === 'follows' || LOST.test(found.message))) continue
    const finding = indentation === null || indentation === 'follows' ? explain(found, text) : indentation
    const { line } = lines.linePos(finding.offset)
    if (!byLine.has(line)) byLine.set(line, finding)
  }
  const told = [...unquoted.map((reference) => quoteIt(reference, source.text)), ...byLine.values()]
  // All that is behind an open quote is in its text, so what is told of it only follows.
  const open = told.find(({ message }) => message === OPEN_QUOTE)?.offset ?? Infinity
  return told.filter(({ offset }) => offset <= open)
}

const OPEN_QUOTE = 'this quote is never closed'

/** From the parser's messages once it is outside of all mappings, where nothing that comes can be right. */
const LOST = /token in YAML stream/

interface Reference {
  readonly at: number
  readonly written: string
}

/** The `${…}` in braces or brackets without quotes: YAML takes their own braces for a mapping. */
function unquotedReferences(text: string): Reference[] {
  return [...tokensOf(text)].flatMap(({ at, token }) => {
    if (token !== '{' || text[at - 1] !== '$') return []
    const written = text.slice(at - 1, text.indexOf('}', at) + 1)
    return isOnlyReferences(written) ? [{ at: at - 1, written }] : []
  })
}

function quoteIt({ at, written }: Reference, text: string): Finding {
  const isWhole = /[\s{[,]/.test(text[at - 1] ?? ' ') && /[\s}\],]/.test(text[at + written.length] ?? ' ')
  const hint = isWhole ? `quote it: \`'${written}'\`` : 'put the whole value that it is part of in quotes'
  return error('yaml_syntax', at, `\`${written}\` needs quotes inside braces or brackets`, hint)
}

type Words = readonly [message: string, hint: string]

const QUOTE_IT = 'put a text that holds YAML signs (such as : # { [ * & ! | > @ %) in quotes'
const UNEXPECTED: Words = ['this cannot stand here', QUOTE_IT]
const AFTER_QUOTE: Words = [
  'there is more behind the closing quote',
  'put the whole value in quotes of the other kind: `\'"nps" in answers\'`',
]
const OPEN: Words = ['a brace or bracket before this is not closed', 'close it, or indent what is inside']
const ONE_COLUMN = 'keys of one mapping start at the same column'
const ONE_NAME: Words = [
  'an anchor or tag that cannot stand here',
  'put a text that starts with `&`, `*` or `!` in quotes',
]

const WORDS: Partial<Record<YAMLError['code'], Words>> = {
  ALIAS_PROPS: ONE_NAME,
  BAD_ALIAS: ONE_NAME,
  BAD_COLLECTION_TYPE: ONE_NAME,
  BAD_DIRECTIVE: ['an unknown YAML directive', 'remove the line that starts with `%`'],
  BAD_DQ_ESCAPE: [
    'an unknown escape in a text in double quotes',
    'write `\\\\` for a backslash, or use single quotes',
  ],
  BAD_INDENT: ['wrong indentation', ONE_COLUMN],
  BAD_PROP_ORDER: ONE_NAME,
  BAD_SCALAR_START: ['no text without quotes starts with this sign', QUOTE_IT],
  BLOCK_AS_IMPLICIT_KEY: [
    'a mapping cannot start here',
    'check the indentation; put a value that holds `: ` in quotes',
  ],
  BLOCK_IN_FLOW: [
    'braces and brackets hold only what is written in braces, brackets or one line',
    ONE_COLUMN,
  ],
  MULTILINE_IMPLICIT_KEY: [
    'a key goes on in the next line',
    'look for a missing `:`, or a missing space after it, and check the indentation',
  ],
  MULTIPLE_ANCHORS: ONE_NAME,
  MULTIPLE_DOCS: ['a second YAML document', 'remove the `---`: one file is one document'],
  MULTIPLE_TAGS: ONE_NAME,
  RESOURCE_EXHAUSTION: ['nested too deeply', 'no part of this file needs more than a few levels'],
  TAB_AS_INDENT: ['a tab in the indentation', 'indent with spaces'],
  TAG_RESOLVE_FAILED: ['an unknown YAML tag', 'put a text that starts with `!` in quotes'],
}

/** From the parser's message of braces or brackets that stay open. */
const OPEN_FLOW = /end with a/

function explain({ code, pos, message }: YAMLError, text: string): Finding {
  const [offset] = pos
  if (code === 'RESOURCE_EXHAUSTION') return error('yaml_too_complex', offset, ...WORDS[code]!)
  if (code === 'BAD_INDENT' && OPEN_FLOW.test(message)) return error('yaml_syntax', offset, ...OPEN)
  if (code === 'UNEXPECTED_TOKEN' && /["'][ \t]+$/.test(text.slice(0, offset))) {
    return error('yaml_syntax', offset, ...AFTER_QUOTE)
  }
  if (code !== 'MISSING_CHAR') return error('yaml_syntax', offset, ...(WORDS[code] ?? UNEXPECTED))
  const quote = /closing .quote/.test(message) ? openingQuote(text, offset) : null
  if (quote !== null) return error('yaml_syntax', quote, OPEN_QUOTE, 'add the closing quote')
  return error('yaml_syntax', offset, ...missing(message))
}

/** What is missing, by the constant parts of the parser's own message. */
function missing(message: string): Words {
  if (message.startsWith('Comments must')) {
    return ['a comment needs a space before its `#`', 'put a text that holds `#` in quotes']
  }
  if (/map values/.test(message))
    return ['a key without a value', 'write `key: value`, with a space after the colon']
  if (/between/.test(message))
    return [
      'a comma or colon is missing',
      'part the entries in braces by commas; put one that holds a comma or quote in quotes',
    ]
  if (OPEN_FLOW.test(message)) return OPEN
  return ['something is missing', QUOTE_IT]
}

/** Tokens of the lexer that stand for no text: start of a document, end of braces, start of a plain text. */
const MARKERS = new Set(['\u0002', '\u0018', '\u001F'])

/** Where the quoted text starts that ends at an offset. */
function openingQuote(text: string, end: number): number | null {
  for (const { at, token } of tokensOf(text)) {
    if (at + token.length === end && /^["']/.test(token)) return at
  }
  return null
}

function* tokensOf(text: string): Generator<{ at: number; token: string }> {
  let at = 0
  for (const token of new Lexer().lex(text)) {
    if (MARKERS.has(token)) continue
    yield { at, token }
    at += token.length
  }
}
