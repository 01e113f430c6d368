import type { PluginSettings } from '../contracts/configuration.ts'
import { describeFailure } from './describe-failure.ts'
import { loadTime } from './load-time.ts'
import type { LoadOutcome } from './outcome.ts'
import type { PluginProblem } from './plugin-problem.ts'
import type { SourcePlaces } from './source-places.ts'

/** Why a plugin that could be bundled could not be loaded. */
export function describeLoadFailure(
  outcome: Exclude<LoadOutcome, { kind: 'loaded' }>,
  settings: PluginSettings,
  places: SourcePlaces,
): PluginProblem {
  const { name, path } = settings
  if (outcome.kind === 'not_a_plugin') {
    return {
      plugin: name,
      code: 'plugin_no_default_export',
      file: path,
      line: null,
      column: null,
      sourceLine: null,
      message: `plugin ${name} has ${outcome.missing}`,
      hint: "a plugin is `export default { name: 'x', transform(interaction, messages, context) { … } }`",
    }
  }
  const stack =
    outcome.kind === 'threw' ? outcome.thrown.stack : outcome.kind === 'took_too_long' ? outcome.stack : null
  const place = places.find(stack)
  const { reason, detail } = describeFailure(
    outcome,
    { ...settings, timeoutMs: loadTime(settings.timeoutMs) },
    places,
  )
  return {
    plugin: name,
    code: 'plugin_load_failed',
    file: place?.file ?? path,
    line: place?.line ?? null,
    column: place?.column ?? null,
    sourceLine: place?.sourceLine ?? null,
    message: `plugin ${name} failed while it was loaded: ${detail ?? reason}`,
    hint:
      outcome.kind === 'took_too_long'
        ? 'its `timeout`, or one second where that is shorter, also bounds loading it'
        : null,
  }
}
