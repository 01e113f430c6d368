import type { RuleDirection } from '../contracts/rules.ts'
import { type Compiled, compileExpression, type Expression } from './expression.ts'
import { toJson } from './to-json.ts'

/** A text with expressions in it, such as `Survey {{ survey.name }}`. */
export interface Template {
  /** The text with what the expressions in it give; throws what `evaluate` throws. */
  render(evaluate: (expression: Expression) => unknown): string
}

/** Reads a template; a text without `{{` stands for itself. */
export function compileTemplate(direction: RuleDirection, text: string): Compiled<Template> {
  const parts: (string | Expression)[] = []
  let at = 0
  for (;;) {
    const open = text.indexOf('{{', at)
    if (open < 0) break
    const close = text.indexOf('}}', open + 2)
    if (close < 0) {
      const hint = 'write `{{ expression }}`'
      return { ok: false, problem: { code: 'bad_template', at: open, message: '`{{` is never closed', hint } }
    }
    const compiled = compileExpression(direction, text.slice(open + 2, close), 'text')
    if (!compiled.ok) {
      return { ok: false, problem: { ...compiled.problem, at: compiled.problem.at + open + 2 } }
    }
    parts.push(text.slice(at, open), compiled.value)
    at = close + 2
  }
  parts.push(text.slice(at))
  return {
    ok: true,
    value: {
      render: (evaluate) =>
        parts.map((part) => (typeof part === 'string' ? part : shown(evaluate(part)))).join(''),
    },
  }
}

function shown(value: unknown): string {
  const json = toJson(value)
  if (json === null) return ''
  if (Array.isArray(json)) return json.map(shown).join(', ')
  return typeof json === 'object' ? JSON.stringify(json) : String(json)
}
