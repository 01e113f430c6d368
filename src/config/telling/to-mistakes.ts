import type { Mistake } from '../mistake.ts'
import type { Source } from '../reading/source.ts'
import { excerptAt, type Shown } from './excerpt.ts'
import type { Finding } from './finding.ts'

/** Findings with their place and source line, in the order of the file; the same one twice, through an alias, is one. */
export function toMistakes(
  source: Source,
  findings: readonly Finding[],
  shown: readonly Shown[],
): readonly Mistake[] {
  const told = new Set<string>()
  return findings
    .toSorted((a, b) => a.offset - b.offset)
    .filter(({ offset, code, message }) => {
      const key = `${offset} ${code} ${message}`
      return !told.has(key) && told.add(key)
    })
    .map((finding) => toMistake(source, finding, shown))
}

/** An offset beyond the last sign, where an unclosed bracket is noticed, is shown at that sign. */
function toMistake(source: Source, finding: Finding, shown: readonly Shown[]): Mistake {
  const { offset: found, ...rest } = finding
  const offset = Math.min(found, source.text.trimEnd().length)
  const { line, col } = source.lines.linePos(offset)
  const excerpt = excerptAt(source, offset, shown)
  return {
    ...rest,
    file: source.file,
    line: Math.max(1, line),
    column: Math.max(1, col),
    excerpt: excerpt?.text ?? null,
    caret: excerpt?.caret ?? 1,
  }
}
