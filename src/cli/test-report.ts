import type { Palette } from '../demo/palette.ts'
import { displayed } from '../testing/displayed.ts'
import { lineDiff } from '../testing/line-diff.ts'
import type { Failure } from '../testing/judge-messages.ts'
import type { TestResult } from '../testing/run-test.ts'

/** A test as a person reads it: its name and place, and where it failed, why. */
export function describeResult(result: TestResult, palette: Palette): string[] {
  const { name, place, verdict, failures, outcome, notes } = result
  const remarks = notes.map((note) => `    ${palette.refused('note:')} ${displayed(note)}`)
  const where = palette.quiet(displayed(place))
  if (verdict === 'passed') return [`${palette.good('✓')} ${displayed(name)}  ${where}`, ...remarks]
  return [
    `${palette.bad('✗')} ${palette.strong(displayed(name))}  ${where}`,
    ...failures.flatMap((failure) => describeFailure(failure, palette)),
    ...describeOutcome(result, outcome, palette),
    ...remarks,
  ]
}

function describeFailure({ message, differences }: Failure, palette: Palette): string[] {
  const lines = lineDiff(differences).map(({ sign, text }) =>
    sign === '-' ? palette.bad(`      - ${text}`) : palette.good(`      + ${text}`),
  )
  return [`    ${displayed(message)}`, ...lines]
}

function describeOutcome({ verdict }: TestResult, outcome: readonly string[], palette: Palette): string[] {
  if (verdict === 'error') return []
  if (outcome.length === 0) return [palette.quiet('    nothing came of the input')]
  return [
    palette.quiet('    what came of the input:'),
    ...outcome.map((one) => palette.quiet(`      ${displayed(one)}`)),
  ]
}

/** The last line: how many passed and failed. */
export function summaryOf(results: readonly TestResult[], palette: Palette): string {
  const passed = results.filter(({ verdict }) => verdict === 'passed').length
  const errors = results.filter(({ verdict }) => verdict === 'error').length
  const failed = results.length - passed - errors
  const parts = [`${passed} passed`]
  if (failed > 0 || errors === 0) parts.push(`${failed} failed`)
  if (errors > 0) parts.push(`${errors} could not be run`)
  return (failed + errors === 0 ? palette.good : palette.bad)(parts.join(', '))
}
