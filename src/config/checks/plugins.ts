import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Place } from '../reading/places.ts'
import { reasonOf } from '../reading/read-text.ts'
import { error, type Finding, warning } from '../telling/finding.ts'
import { didYouMean } from '../telling/nearest.ts'
import type { Path } from '../telling/path.ts'
import { named, type Sheet } from './sheet.ts'

/** Plugins as far as they can be told without their code, and the lists of those that tenants use. */
export function checkPlugins(sheet: Sheet): Finding[] {
  const used = new Set<string>()
  const ofTenants = sheet.tenants().flatMap((tenant) => checkTenant(sheet, tenant, used))
  return [...definedPlugins(sheet).flatMap((name) => checkPlugin(sheet, name, used)), ...ofTenants]
}

/** Their names, without what is no name. */
function definedPlugins(sheet: Sheet): string[] {
  return sheet.keys('plugins').filter((name) => (sheet.place('plugins', name)?.schema ?? null) !== null)
}

function checkTenant(sheet: Sheet, tenant: string, used: Set<string>): Finding[] {
  const path = ['tenants', tenant, 'to_segment', 'plugins']
  const named = new Set<string>()
  return sheet.keys(...path).flatMap((index) => {
    const place = sheet.place(...path, index)
    if (place === null) return []
    const name = String(place.value)
    used.add(name)
    if (!sheet.has('plugins', name)) return [unknownPlugin(sheet, place)]
    if (!named.has(name)) {
      named.add(name)
      return []
    }
    const message = `the plugin ${shownName(place)} is listed before: it is called twice`
    return [warning('duplicate_item', place.valueAt, message, 'remove one of the two')]
  })
}

function unknownPlugin(sheet: Sheet, place: Place): Finding {
  const defined = definedPlugins(sheet)
  const list =
    defined.length === 0
      ? 'define it at the top level under `plugins`'
      : `the plugins are ${defined.join(', ')}`
  const hint = didYouMean(String(place.value), defined, list)
  return error('unknown_plugin', place.valueAt, `there is no plugin ${shownName(place)}`, hint)
}

function shownName({ value, references }: Place): string {
  return references.length > 0 ? `that ${references.join(' and ')} names` : `\`${String(value)}\``
}

function checkPlugin(sheet: Sheet, name: string, used: ReadonlySet<string>): Finding[] {
  const path = ['plugins', name]
  const unused = used.has(name)
    ? []
    : [warning('no_effect', sheet.nearestKey(...path), `no tenant uses the plugin \`${name}\``)]
  return [
    ...unused,
    ...checkFile(sheet, [...path, 'path']),
    ...checkTrusted(sheet, path),
    ...checkEnvironment(sheet, [...path, 'permissions', 'env']),
    ...checkHosts(sheet, [...path, 'permissions', 'net']),
  ]
}

function checkFile(sheet: Sheet, path: Path): Finding[] {
  const place = sheet.place(...path)
  if (place === null) return []
  const problem = problemOf(resolve(sheet.folder, String(place.value)))
  if (problem === null) return []
  const message = `the file of ${named(...path.slice(0, 2))} cannot be read: ${problem}`
  return [
    error('plugin_unreadable', place.valueAt, message, 'relative paths start from the folder of this file'),
  ]
}

function problemOf(file: string): string | null {
  try {
    return statSync(file).isFile() ? null : 'it is not a regular file'
  } catch (cause) {
    return reasonOf(cause)
  }
}

const OF_THE_SANDBOX = [
  ['memory'],
  ['permissions', 'time'],
  ['permissions', 'random'],
  ['permissions', 'net'],
]

function checkTrusted(sheet: Sheet, path: Path): Finding[] {
  if (sheet.place(...path, 'trusted')?.value !== true) return []
  return OF_THE_SANDBOX.flatMap((setting) => {
    const place = sheet.place(...path, ...setting)
    if (place === null) return []
    const message = `${named(...place.path)} has no effect: a trusted plugin runs outside the sandbox`
    return [warning('no_effect', place.keyAt, message, 'remove it, or `trusted`')]
  })
}

function checkEnvironment(sheet: Sheet, path: Path): Finding[] {
  const { environment } = sheet.sources
  return sheet.keys(...path).flatMap((index) => {
    const place = sheet.place(...path, index)
    const name = String(place?.value)
    if (place === null || (Object.hasOwn(environment, name) && environment[name] !== undefined)) return []
    const shown = place.references.length > 0 ? place.references.join('') : name
    const hint = didYouMean(name, Object.keys(environment), 'set it for the daemon, or remove it')
    return [error('missing_variable', place.valueAt, `environment variable \`${shown}\` is not set`, hint)]
  })
}

/** A host as a URL has it, without what comes before and after. */
const HOST = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:\d{1,5})?$/i

function checkHosts(sheet: Sheet, path: Path): Finding[] {
  return sheet.keys(...path).flatMap((index) => {
    const place = sheet.place(...path, index)
    if (place === null || HOST.test(String(place.value))) return []
    const hint = 'such as `api.example.com` or `localhost:9000`, without `https://` and without a path'
    return [error('bad_host', place.valueAt, `${named(...place.path)} is no host`, hint)]
  })
}
