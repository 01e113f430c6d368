import { formatMistake, type Mistake } from '../config/mistake.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'

/** Says what is wrong with a configuration, or a file of tests, as `check` says it. */
export function tellMistakes(
  {
    file,
    mistakes,
    warnings,
    json,
  }: {
    readonly file: string
    readonly mistakes: readonly Mistake[]
    readonly warnings: readonly Mistake[]
    readonly json: boolean
  },
  context: CommandContext,
): ExitCode {
  if (json) {
    context.print(JSON.stringify({ ok: false, mistakes, warnings }, null, 2))
    return EXIT.failure
  }
  for (const mistake of [...mistakes, ...warnings]) context.print(formatMistake(mistake))
  context.print(`${file}: ${counted(mistakes.length, 'mistake')}, ${counted(warnings.length, 'warning')}`)
  return EXIT.failure
}

/** `1 test`, `2 tests`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
