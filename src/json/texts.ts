import type { JsonValue } from '../contracts/json.ts'

/** A non-empty string; a number or boolean counts as its text. */
export function text(value: JsonValue | undefined): string | null {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : null
}

/**
 * A text by which somebody is known, as the database keeps it: a lone surrogate has no UTF-8, and SQLite compares up to a
 * NUL. What has neither is left as it is.
 */
export function identifier(value: JsonValue | undefined): string | null {
  return text(value)?.toWellFormed().replaceAll('\0', '\uFFFD') ?? null
}
