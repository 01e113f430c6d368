import type { Mistake, MistakeCode } from '../mistake.ts'
import { plainLine } from './excerpt.ts'

/** A mistake in a file that is not read here, such as the code of a plugin. */
export interface Elsewhere {
  readonly code: MistakeCode
  readonly message: string
  readonly hint: string | null
  readonly file: string
  /** From 1; null where only the file is known. */
  readonly line: number | null
  /** From 1. */
  readonly column: number | null
  /** Shown as it is, so it must hold no secret; null where there is none to show. */
  readonly sourceLine: string | null
}

/** The same as a mistake like all others. */
export function mistakeElsewhere({ sourceLine, ...found }: Elsewhere): Mistake {
  const { code, message, hint, file, line, column } = found
  const place = { file, line: line ?? 1, column: column ?? 1 }
  const excerpt = sourceLine === null || line === null ? null : plainLine(sourceLine, place.column)
  const shown = { excerpt: excerpt?.text ?? null, caret: excerpt?.caret ?? 1 }
  return { code, severity: 'error', message, hint, ...place, ...shown }
}
