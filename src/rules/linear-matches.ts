import { RE2JS } from 're2js'
import { FunctionFailed } from './function-failed.ts'

/**
 * CEL's `matches` as its specification has it: RE2's syntax, and time linear in the text. The library's own uses
 * JavaScript's regular expressions, which an answer made for it can keep busy for hours.
 */

/** As long as `matches`, so that an expression keeps its columns when one stands for the other. */
export const LINEAR_MATCHES = '_match_'

const compiled = new Map<string, RE2JS>()
/** Patterns can be put together from answers; those of the configuration are far fewer. */
const MOST_COMPILED = 1000

/** Whether the pattern is found anywhere in the text. Throws FunctionFailed on a pattern that is none. */
export function matchesLinear(text: string, pattern: string): boolean {
  if (patternFault(pattern) !== null) throw new FunctionFailed('the pattern is no regular expression')
  return expressionOf(pattern).test(text)
}

/** What is wrong with a pattern, in words; null when nothing is. */
export function patternFault(pattern: string): string | null {
  try {
    expressionOf(pattern)
    return null
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    return /error parsing regexp: ([^:`]+)/.exec(said)?.[1]?.trim() ?? 'it cannot be parsed'
  }
}

function expressionOf(pattern: string): RE2JS {
  let expression = compiled.get(pattern)
  if (expression === undefined) {
    expression = RE2JS.compile(pattern)
    if (compiled.size >= MOST_COMPILED) compiled.clear()
    compiled.set(pattern, expression)
  }
  return expression
}
