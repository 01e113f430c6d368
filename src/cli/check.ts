import { formatMistake } from '../config/mistake.ts'
import { loadProject } from '../project.ts'
import { readDatabase, surveysSeen } from '../store/read-only.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { counted, tellMistakes } from './refused-configuration.ts'

/** Says everything that is wrong with the configuration, its rules and its plugins, and starts nothing. */
export async function check(
  options: { config: string; json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const project = await loadProject(options.config, context.environment, seenSurveys)
  const { warnings } = project
  if (!project.ok) {
    return tellMistakes({ file: options.config, json: options.json, ...project }, context)
  }
  project.plugins.stop()
  if (options.json) {
    context.print(JSON.stringify({ ok: true, mistakes: [], warnings }, null, 2))
    return EXIT.ok
  }
  for (const warning of warnings) context.print(formatMistake(warning))
  context.print(`${options.config}: ok, ${counted(warnings.length, 'warning')}`)
  for (const { name, segment, refiner } of project.configuration.tenants.values()) {
    context.print(`  ${name}: Segment ${segment.endpoint}, Refiner ${refiner.endpoint}`)
  }
  return EXIT.ok
}

/** A database that is not there, or not to be read, knows of none. */
function seenSurveys(database: string, tenant: string): readonly string[] {
  try {
    return readDatabase(database, (sqlite) => surveysSeen(sqlite, tenant))
  } catch {
    return []
  }
}
