import { formatMistake } from '../config/mistake.ts'
import { type LoadedProject, loadProject } from '../project.ts'
import { readDatabase, surveysSeen } from '../store/read-only.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { checkOnline } from './check-online.ts'
import { counted, tellMistakes } from './refused-configuration.ts'

/** Says everything that is wrong with the configuration, its rules and its plugins, and starts nothing. */
export async function check(
  options: { config: string; json: boolean; online: boolean; url: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const project = await loadProject(options.config, context.environment, seenSurveys)
  const { warnings } = project
  if (!project.ok) {
    return tellMistakes({ file: options.config, json: options.json, ...project }, context)
  }
  project.plugins.stop()
  if (options.online) {
    if (!options.json) tellGood(options.config, project, context)
    return checkOnline(options, project, context)
  }
  if (options.json) {
    context.print(JSON.stringify({ ok: true, mistakes: [], warnings }, null, 2))
    return EXIT.ok
  }
  tellGood(options.config, project, context)
  return EXIT.ok
}

/** Says that a configuration is right, and what it warns of. */
function tellGood(
  file: string,
  { configuration, warnings }: Pick<LoadedProject, 'configuration' | 'warnings'>,
  context: CommandContext,
): void {
  for (const warning of warnings) context.print(formatMistake(warning))
  context.print(`${file}: ok, ${counted(warnings.length, 'warning')}`)
  for (const { name, segment, refiner } of configuration.tenants.values()) {
    context.print(`  ${name}: Segment ${segment.endpoint}, Refiner ${refiner.endpoint}`)
  }
}

/** A database that is not there, or not to be read, knows of none. */
function seenSurveys(database: string, tenant: string): readonly string[] {
  try {
    return readDatabase(database, (sqlite) => surveysSeen(sqlite, tenant))
  } catch {
    return []
  }
}
