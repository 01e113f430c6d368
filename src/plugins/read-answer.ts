import type { CallOutcome, Failure, Thrown } from './outcome.ts'

/**
 * Reads what `inside/calling.ts` answered; null while it waits for a promise. The text comes from the plugin's own world,
 * so that any text must be harmless here.
 */
export function readAnswer(answer: string): CallOutcome | null {
  const rest = answer.slice(1)
  switch (answer.slice(0, 1)) {
    case 'm':
      return { kind: 'messages', messages: rest === '' ? [] : rest.slice(1).split('\x1e') }
    case 'w':
      return null
    case 'n':
      return { kind: 'skipped', reason: null }
    case 's':
      return { kind: 'skipped', reason: rest }
    case 'e':
      return readThrown(rest)
    case 'j':
      return unwritable(readThrown(rest))
    case 'l':
      return { kind: 'unusable', what: 'returned more than 4 MB of JSON', detail: null }
    case 'o':
      return { kind: 'out_of_memory' }
    case 'r':
      return {
        kind: 'unusable',
        what: `returned ${withArticle(rest)}; it must return a list of messages, or null`,
        detail: null,
      }
    default:
      return { kind: 'broke', what: 'answered in a way that cannot be read' }
  }
}

/** Reads a `Thrown` as JSON. */
export function readThrown(text: string): Failure {
  try {
    const { type, name, message, stack }: Thrown = JSON.parse(text)
    if (name === 'InternalError' && message === 'out of memory') return { kind: 'out_of_memory' }
    return { kind: 'threw', thrown: { type, name, message, stack } }
  } catch {
    return { kind: 'broke', what: 'threw something that cannot be read' }
  }
}

function unwritable(failure: Failure): Failure {
  if (failure.kind !== 'threw') return failure
  const { name, message } = failure.thrown
  const detail = message === null ? null : `${name ?? 'Error'}: ${message}`.slice(0, 500)
  return { kind: 'unusable', what: 'returned what JSON cannot hold', detail }
}

function withArticle(kind: string): string {
  if (kind === 'undefined') return kind
  return /^[aeio]/.test(kind) ? `an ${kind}` : `a ${kind}`
}
