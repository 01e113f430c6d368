import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { checkRuleList } from './checks/rules.ts'
import type { Sheet } from './checks/sheet.ts'
import { presetRules } from './checks/tenant-rules.ts'
import type { Mistake } from './mistake.ts'
import { BUILT_IN_PRESETS } from './presets.ts'
import { type DocumentKind, mistakesOf, readDocument } from './read-document.ts'
import type { Place } from './reading/places.ts'
import { readText } from './reading/read-text.ts'
import { PresetFile } from './schema-tenant.ts'
import { error, type Finding } from './telling/finding.ts'
import { didYouMean } from './telling/nearest.ts'

export interface ReadPresets {
  /** By name, those that could be read. */
  readonly presets: ReadonlyMap<string, Sheet>
  /** Mistakes and warnings in the files of presets. */
  readonly mistakes: readonly Mistake[]
  /** Where the configuration names a preset that there is not. */
  readonly findings: readonly Finding[]
  /** Absolute paths of the files of presets, and of what these take secrets from. */
  readonly files: readonly string[]
}

/** Bytes of a preset that is read at all. */
const LARGEST_PRESET = 1024 * 1024

const PRESET: DocumentKind = {
  schema: PresetFile,
  what: 'the preset',
  example: 'such as `events: { seen: Saw Survey }`; the keys are those of `to_segment`',
}

/** Reads each preset that tenants name, once: a file beside the configuration, else the one in the program. */
export function readPresets(sheet: Sheet): ReadPresets {
  const presets = new Map<string, Sheet>()
  const mistakes: Mistake[] = []
  const findings: Finding[] = []
  const files: string[] = []
  const seen = new Set<string>()
  for (const place of namesOfPresets(sheet)) {
    const name = String(place.value)
    const found = find(sheet, name)
    if (found.kind !== 'missing' && found.path !== null) files.push(found.path)
    if (found.kind !== 'text') findings.push(notThere(place, sheet, found))
    else if (!seen.has(name)) {
      const { file, text, folder } = found
      const document = readDocument({ file, text, folder, environment: sheet.sources.environment }, PRESET)
      files.push(...document.secretFiles)
      const ofRules = document.sheet === null ? [] : checkRuleList(presetRules(document.sheet))
      mistakes.push(...mistakesOf(document, ofRules))
      if (document.sheet !== null) presets.set(name, document.sheet)
    }
    seen.add(name)
  }
  return { presets, mistakes, findings, files }
}

function namesOfPresets(sheet: Sheet): Place[] {
  return sheet
    .tenants()
    .map((tenant) => sheet.place('tenants', tenant, 'to_segment', 'preset'))
    .filter((place) => place !== null)
}

/** Where presets stand beside a configuration. */
const FOLDER = join('config', 'presets')

type Found =
  | {
      readonly kind: 'text'
      readonly file: string
      readonly text: string
      readonly folder: string
      readonly path: string | null
    }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly path: string }
  | { readonly kind: 'missing' }

/** A name is that of a file, so it must lead nowhere else. */
const NAME = /^[A-Za-z0-9][\w-]*$/

function find(sheet: Sheet, name: string): Found {
  if (!NAME.test(name)) return { kind: 'missing' }
  const { folder, source } = sheet
  const path = resolve(folder, FOLDER, `${name}.yaml`)
  if (existsSync(path)) {
    const read = readText(path, LARGEST_PRESET)
    if (!read.ok) return { kind: 'unreadable', reason: read.reason, path }
    const file = join(dirname(source.file), FOLDER, `${name}.yaml`)
    return { kind: 'text', file, text: read.text, folder: dirname(path), path }
  }
  const text = BUILT_IN_PRESETS.get(name)
  if (text === undefined) return { kind: 'missing' }
  return { kind: 'text', file: `built-in preset ${name}`, text, folder, path: null }
}

function notThere(place: Place, sheet: Sheet, found: Exclude<Found, { kind: 'text' }>): Finding {
  const name = place.references.length > 0 ? place.references.join('') : String(place.value)
  if (found.kind === 'unreadable') {
    const message = `the preset \`${name}\` cannot be read: ${found.reason}`
    return error('preset_unreadable', place.valueAt, message)
  }
  const names = [...new Set([...namesBeside(sheet.folder), ...BUILT_IN_PRESETS.keys()])].sort()
  const list = `the presets are ${names.join(', ')}; others are files config/presets/NAME.yaml beside this file`
  const hint = didYouMean(String(place.value), names, null)
  const told = hint === null ? list : `${hint} ${list}`
  return error('unknown_preset', place.valueAt, `there is no preset \`${name}\``, told)
}

function namesBeside(folder: string): string[] {
  try {
    const names = readdirSync(resolve(folder, FOLDER)).filter((name) => name.endsWith('.yaml'))
    return names.map((name) => basename(name, '.yaml'))
  } catch {
    return []
  }
}
