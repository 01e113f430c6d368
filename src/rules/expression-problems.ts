import { closest, distance } from 'fastest-levenshtein'
import { RESPONSE_TIMESTAMPS } from '../contracts/interaction.ts'
import type { ExpressionUse, RuleProblem } from '../contracts/rules.ts'
import { environmentOf } from './environments.ts'
import type { CelError } from './failures.ts'
import { LINEAR_MATCHES } from './linear-matches.ts'

/** Where in a text something is wrong, and what. */
export type TextProblem = Pick<RuleProblem, 'code' | 'at' | 'message' | 'hint'>

/** Puts what CEL says of an expression into words for the one who wrote it. */
export function problemOf(error: CelError | undefined, text: string, use: ExpressionUse): TextProblem {
  if (error === undefined) {
    return { code: 'expression_syntax', at: 0, message: 'the expression cannot be read', hint: null }
  }
  const at = Math.min(error.range?.start ?? 0, text.length)
  const said = error.summary.replaceAll(LINEAR_MATCHES, 'matches')
  if (error.name === 'ParseError') return syntaxProblem(said, at, text)
  switch (error.code) {
    case 'unknown_variable':
      return unknownVariable(said.slice(said.indexOf(':') + 1).trim(), at, text, use)
    case 'no_such_key': {
      const field = said.slice(said.indexOf(':') + 1).trim()
      return {
        code: 'unknown_field',
        at,
        message: `there is no field \`${field}\``,
        hint: fieldHint(error, use, field),
      }
    }
    case 'no_matching_overload':
      return overloadProblem(said, at, text, use)
    case 'no_such_overload':
      return {
        code: 'expression_type',
        at,
        message: said.replace(/^no such overload: /, 'the types do not go together: '),
        hint: /\bstring\b/.test(said) ? 'int(…), number(…) or text(…) make one of the other' : null,
      }
    default:
      return { code: 'expression_type', at, message: lowerFirst(said), hint: null }
  }
}

function syntaxProblem(said: string, at: number, text: string): TextProblem {
  const expected = /^Expected (\w+), got (\w+)$/i.exec(said)
  const message =
    expected === null
      ? lowerFirst(said.replace('Unexpected token: EOF', 'the expression ends too early'))
      : `here ${TOKENS[expected[1]!] ?? expected[1]} is needed, not ${TOKENS[expected[2]!] ?? 'something else'}`
  return { code: 'expression_syntax', at, message, hint: syntaxHint(text, at) }
}

/** The parser's names of signs, as people write them. */
const TOKENS: Readonly<Record<string, string>> = {
  EOF: 'the end',
  RPAREN: '`)`',
  LPAREN: '`(`',
  RBRACKET: '`]`',
  RBRACE: '`}`',
  COLON: '`:`',
  COMMA: '`,`',
  IDENTIFIER: 'a name',
  STRING: 'a text',
  NUMBER: 'a number',
}

/** What people write who know other languages. */
function syntaxHint(text: string, at: number): string | null {
  const rest = text.slice(at)
  if (/^(or|and)\b/.test(rest)) return 'write `||` for or, `&&` for and'
  if (/^is\b/.test(rest) || rest.startsWith('=')) return 'to compare, write `==`'
  if (/\bnot\s*$/.test(text.slice(0, at))) return 'write `!` for not'
  if (/^if\b/.test(rest)) return 'write `condition ? one : other`'
  // Words and nothing else: hardly an expression that went wrong.
  return /^[A-Za-z][\w' -]*$/.test(text.trim())
    ? `if this is a text, it needs quotes of its own: \`'"…"'\``
    : null
}

function unknownVariable(name: string, at: number, text: string, use: ExpressionUse): TextProblem {
  const variables = environmentOf(use)
    .getDefinitions()
    .variables.map((variable) => variable.name)
    .filter((variable) => /^[a-z]/.test(variable) && !BUILT_IN.has(variable))
  const near = nearest(name, variables)
  const whole = text.trim() === name
  if (/-\s*$/.test(text.slice(0, at)) && /[\w\]]-$/.test(text.slice(0, at))) {
    const hint = 'a name with `-` in it is written `answers["why-not"]`'
    return { code: 'unknown_variable', at, message: `unknown variable \`${name}\``, hint }
  }
  if (use === 'segments' && CLOCKS.has(name)) {
    const hint = 'who is in a segment changes when something of them arrives, not as time goes by'
    return { code: 'unknown_variable', at, message: `a segment cannot use \`${name}\``, hint }
  }
  const list = `the variables are ${variables.join(', ')}`
  if (/^\s+in\s+\w/.test(text.slice(at + name.length))) {
    const hint = `the name of an answer is a text: \`"${name}" in answers\``
    return { code: 'unknown_variable', at, message: `unknown variable \`${name}\``, hint }
  }
  if (near === null && /[=!]=\s*$/.test(text.slice(0, at))) {
    const hint = `a text needs quotes: \`"${name}"\``
    return { code: 'unknown_variable', at, message: `unknown variable \`${name}\``, hint }
  }
  const hint =
    near !== null
      ? `did you mean \`${near}\`?`
      : whole
        ? `a text needs quotes of its own: \`'"${name}"'\`; ${list}`
        : list
  return { code: 'unknown_variable', at, message: `unknown variable \`${name}\``, hint }
}

/** What other languages call the present moment. */
const CLOCKS = new Set(['now', 'today', 'current_time', 'current_date'])

/** Names of CEL's own types, which it lists among the variables. */
const BUILT_IN = new Set(
  'bool int uint double string bytes list map timestamp duration null_type type dyn optional google cel'.split(
    ' ',
  ),
)

function overloadProblem(said: string, from: number, text: string, use: ExpressionUse): TextProblem {
  const call = /'([^']+)'/.exec(said)?.[1] ?? ''
  const name = /([\w]+)\(/.exec(call)?.[1] ?? ''
  // Of a method, the library tells where its receiver begins.
  const named = text.slice(from).search(new RegExp(`\\b${name}\\s*\\(`))
  const at = from + Math.max(0, named)
  const functions = [
    ...new Set(
      environmentOf(use)
        .getDefinitions()
        .functions.map((one) => one.name),
    ),
  ]
  if (!functions.includes(name) && name !== 'matches') {
    const near = nearest(name, functions)
    return {
      code: 'unknown_function',
      at,
      message: `unknown function \`${name}\``,
      hint: near === null ? 'docs/mapping.md lists the functions' : `did you mean \`${near}\`?`,
    }
  }
  return {
    code: 'expression_type',
    at,
    message: `\`${name}\` cannot be called as \`${call}\``,
    hint: 'look at the number of its arguments and their types',
  }
}

function fieldHint(error: CelError, use: ExpressionUse, field: string): string | null {
  const node = error.node
  if (node === undefined || !('input' in node) || node.input === undefined) return null
  const owner = /([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)?\.\s*$/.exec(
    node.input.slice(0, error.range?.start ?? 0),
  )?.[1]
  const fields = owner === undefined ? undefined : FIELDS[use][owner]
  if (fields === undefined) return null
  const near = nearest(field, fields)
  return near === null ? `its fields are ${fields.join(', ')}` : `did you mean \`${near}\`?`
}

/** The fields of the variables that have some, for hints. */
const FIELDS: Readonly<Record<ExpressionUse, Readonly<Record<string, readonly string[]>>>> = {
  to_segment: {
    survey: ['uuid', 'name'],
    response: ['uuid', 'tags', ...RESPONSE_TIMESTAMPS],
    user: ['uuid', 'id', 'email', 'attributes'],
    account: ['id', 'attributes'],
    interaction: ['kind', 'occurred_at'],
  },
  to_refiner: {
    message: ['type', 'user_id', 'anonymous_id', 'group_id', 'event', 'name', 'message_id', 'timestamp'],
  },
  segments: {
    user: ['id', 'email', 'uuid'],
    account: ['id', 'traits'],
    events: ['count', 'first', 'last'],
  },
}

function nearest(name: string, known: readonly string[]): string | null {
  if (known.length === 0 || name === '') return null
  const near = closest(name, [...known])
  // Two letters that changed places count as two changes.
  return distance(name, near) <= Math.round(name.length / 2.5) ? near : null
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
