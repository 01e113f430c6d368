import { relative } from 'node:path'
import { type Environment, loadConfiguration, type SeenSurveys } from './config/load.ts'
import type { Mistake } from './config/mistake.ts'
import { mistakeElsewhere } from './config/telling/elsewhere.ts'
import type { Configuration } from './contracts/configuration.ts'
import type { PluginHost } from './contracts/plugin-host.ts'
import { loadPlugins } from './plugins/load.ts'
import type { PluginProblem } from './plugins/plugin-problem.ts'

/** A configuration with its plugins loaded, ready to run on. Whoever gets it has to stop the plugins. */
export interface LoadedProject {
  readonly ok: true
  readonly configuration: Configuration
  readonly plugins: PluginHost
  readonly warnings: readonly Mistake[]
  /** Absolute paths of all files that it was made of. */
  readonly files: readonly string[]
}

/** What loading a refiner-sync.yaml with all that it names came to. Nothing is left running where it was refused. */
export type Project =
  | LoadedProject
  | {
      readonly ok: false
      readonly mistakes: readonly Mistake[]
      readonly warnings: readonly Mistake[]
      /** Absolute paths of the files that were read or looked for, as far as it came; some may not exist. */
      readonly files: readonly string[]
    }

/**
 * Reads the configuration from a file and loads its plugins. Every mistake of the file is reported at once; the plugins
 * are looked at when it has none.
 *
 * @param file as messages shall name it
 * @param environment where `${NAME}` is looked up
 * @param seenSurveys asked to warn of patterns that fit nothing; null warns of none
 */
export async function loadProject(
  file: string,
  environment: Environment,
  seenSurveys: SeenSurveys | null = null,
): Promise<Project> {
  const loaded = loadConfiguration(file, environment, seenSurveys)
  if (!loaded.ok) return loaded
  const { configuration, warnings } = loaded
  const plugins = await loadPlugins(configuration.plugins)
  const files = [...new Set([...configuration.files, ...plugins.files])]
  if (plugins.ok) return { ok: true, configuration, plugins: plugins.host, warnings, files }
  const mistakes = plugins.problems.map((problem) => toMistake(problem, configuration))
  return { ok: false, mistakes, warnings, files }
}

/** Where the plugin's source is to blame, its place there; else the place that names the plugin. */
function toMistake(problem: PluginProblem, { plugins }: Configuration): Mistake {
  const { plugin, code, message, hint, file, line, column, sourceLine } = problem
  const named = /^(.*):(\d+):(\d+)$/.exec(plugins.get(plugin)?.place ?? '')
  if (line === null && named !== null) {
    const [, file = '', line, column] = named
    const place = { file, line: Number(line), column: Number(column), sourceLine: null }
    return mistakeElsewhere({ code, message, hint, ...place })
  }
  const near = relative('.', file)
  return mistakeElsewhere({
    code,
    message,
    hint,
    file: near.startsWith('..') ? file : near,
    line,
    column,
    sourceLine,
  })
}
