import type { PluginSettings } from '../contracts/configuration.ts'
import type { Failure, Thrown } from './outcome.ts'
import { type SourcePlaces, tellPlace } from './source-places.ts'

const LONGEST_DETAIL = 500
const CLASS_NAME = /^[A-Za-z_$][\w$]{0,40}$/
/** Shorter values are everywhere: taking them out would garble texts and tell what they are. */
const SHORTEST_SECRET = 4

export interface FailureText {
  /** For logs: ours, with the class name of an error and a place in the sources. */
  readonly reason: string
  /** What the plugin said; at most 500 characters. */
  readonly detail: string | null
}

/** Says what went wrong in a plugin. The values of granted environment variables are taken out of what it says. */
export function describeFailure(
  failure: Failure,
  settings: PluginSettings,
  places: SourcePlaces,
): FailureText {
  switch (failure.kind) {
    case 'threw':
      return describeThrown(failure.thrown, settings, places)
    case 'took_too_long':
      return { reason: `took longer than ${settings.timeoutMs}ms`, detail: null }
    case 'out_of_memory':
      return { reason: `used more than ${tellBytes(settings.memoryBytes)} of memory`, detail: null }
    case 'unusable':
      return { reason: failure.what, detail: withoutSecrets(failure.detail, settings) }
    case 'broke':
      return { reason: failure.what, detail: null }
  }
}

/** Replaces the values of granted environment variables by their names. */
export function withoutSecrets<Text extends string | null>(
  text: Text,
  settings: PluginSettings,
): Text | string {
  if (text === null) return text
  let clean: string = text
  for (const [name, value] of settings.permissions.env) {
    if (value.length >= SHORTEST_SECRET) clean = clean.replaceAll(value, `[${name}]`)
  }
  return clean
}

function describeThrown(thrown: Thrown, settings: PluginSettings, places: SourcePlaces): FailureText {
  const { type, name, message, stack } = thrown
  const place = places.find(stack)
  const at = place === null ? '' : ` at ${tellPlace(place)}`
  if (name === null) {
    const detail = message?.slice(0, LONGEST_DETAIL) ?? null
    return {
      reason: `threw a value that is no Error (${type})${at}`,
      detail: withoutSecrets(detail, settings),
    }
  }
  const className = CLASS_NAME.test(name) && withoutSecrets(name, settings) === name ? name : 'Error'
  const detail = withoutSecrets(`${className}: ${message ?? ''}`, settings).slice(0, LONGEST_DETAIL)
  return { reason: `${className}${at}`, detail }
}

function tellBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1024 ** 3],
    ['MB', 1024 ** 2],
    ['KB', 1024],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  }
  return `${bytes} bytes`
}
