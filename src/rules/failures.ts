import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js'
import { FunctionFailed } from './function-failed.ts'

export type CelError = EvaluationError | ParseError | CelTypeError

export function isCelError(error: unknown): error is CelError {
  return error instanceof EvaluationError || error instanceof ParseError || error instanceof CelTypeError
}

const MISSING: ReadonlySet<string> = new Set(['no_such_key', 'index_out_of_bounds'])

/** Whether an expression failed because something that it reads does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof EvaluationError && MISSING.has(error.code)
}

/**
 * Why an expression failed at run time, for logs: it names the part of the expression and quotes no value, which may be
 * what somebody said in a survey.
 */
export function failureText(error: unknown, expression: string): string {
  if (error instanceof FunctionFailed) return error.message
  if (!isCelError(error)) return 'it failed inside a function'
  const part = partOf(error, expression)
  switch (error.code) {
    case 'no_such_key':
    case 'index_out_of_bounds':
      return `there is no ${part}`
    case 'no_such_overload':
    case 'no_matching_overload':
      return `${part} has no meaning for the types of these values`
    case 'invalid_regular_expression':
      return `${part} has a bad regular expression`
    default:
      return `${part}: ${error.code.replaceAll('_', ' ')}`
  }
}

/** The part that an error is about, as written; a missing key with what it is missing from. */
function partOf(error: CelError, expression: string): string {
  const { start, end } = error.range ?? { start: 0, end: expression.length }
  const from = error.code === 'no_such_key' ? startOfPath(expression, start) : start
  const part = withoutTexts(expression.slice(from, end)).replaceAll(/\s+/g, ' ')
  return `\`${part.length > 60 ? `${part.slice(0, 60)}…` : part}\``
}

/** A text in an expression may be a secret, such as the key of a hash; a name in brackets behind a value is none. */
function withoutTexts(part: string): string {
  return part.replaceAll(/((?<=[\w\])]\s*)\[\s*)?(["'])(?:\\.|(?!\2)[^])*\2/g, (text, bracket?: string) =>
    bracket === undefined ? '"…"' : text,
  )
}

function startOfPath(expression: string, start: number): number {
  return start - /[\w.]*$/.exec(expression.slice(0, start))![0].length
}
