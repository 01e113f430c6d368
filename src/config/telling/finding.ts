import type { MistakeCode } from '../mistake.ts'

/** A mistake before its offset in the text has become a line, a column and an excerpt. */
export interface Finding {
  readonly code: MistakeCode
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly hint: string | null
  /** In UTF-16 units from the start of the text. */
  readonly offset: number
}

/** Something for which the file is refused. */
export function error(
  code: MistakeCode,
  offset: number,
  message: string,
  hint: string | null = null,
): Finding {
  return { code, severity: 'error', message, hint, offset }
}

/** Something that is accepted, though hardly meant. */
export function warning(
  code: MistakeCode,
  offset: number,
  message: string,
  hint: string | null = null,
): Finding {
  return { code, severity: 'warning', message, hint, offset }
}
