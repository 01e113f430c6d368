import { loadConfiguration } from '../config/load.ts'
import { formatMistake } from '../config/mistake.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'

/** Says everything that is wrong with the configuration, and starts nothing. */
export function check(options: { config: string; json: boolean }, context: CommandContext): ExitCode {
  const loaded = loadConfiguration(options.config, context.environment)
  const mistakes = loaded.ok ? [] : loaded.mistakes
  const { warnings } = loaded
  if (options.json) {
    context.print(JSON.stringify({ ok: loaded.ok, mistakes, warnings }, null, 2))
    return loaded.ok ? EXIT.ok : EXIT.failure
  }
  for (const mistake of [...mistakes, ...warnings]) context.print(formatMistake(mistake))
  if (loaded.ok) {
    const tenants = [...loaded.configuration.tenants.values()]
    context.print(`${options.config}: ok, ${count(warnings.length, 'warning')}`)
    for (const { name, segment, refiner } of tenants) {
      context.print(`  ${name}: Segment ${segment.endpoint}, Refiner ${refiner.endpoint}`)
    }
    return EXIT.ok
  }
  context.print(
    `${options.config}: ${count(mistakes.length, 'mistake')}, ${count(warnings.length, 'warning')}`,
  )
  return EXIT.failure
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
