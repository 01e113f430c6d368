import { error, type Finding } from '../telling/finding.ts'
import type { Sheet } from './sheet.ts'

type Direction = 'to_segment' | 'to_refiner'

/** A direction that is on needs the keys of both its ends. */
export function checkDirections(sheet: Sheet): Finding[] {
  return sheet
    .tenants()
    .flatMap((tenant) => [
      ...checkNeeds(sheet, tenant, 'to_segment', [['segment', 'write_key']], 'to send to Segment'),
      ...checkNeeds(
        sheet,
        tenant,
        'to_segment',
        [['refiner', 'webhook']],
        'to recognise the webhooks of Refiner',
      ),
      ...checkNeeds(sheet, tenant, 'to_refiner', [['refiner', 'api_key']], 'to send to Refiner'),
      ...checkNeeds(sheet, tenant, 'to_refiner', INBOUND_KEYS, 'to recognise the requests of Segment'),
    ])
}

const INBOUND_KEYS = [
  ['segment', 'destination_keys'],
  ['segment', 'shared_secret'],
] as const

/** One of `settings` is enough; an empty list is none. */
function checkNeeds(
  sheet: Sheet,
  tenant: string,
  direction: Direction,
  settings: readonly (readonly [side: string, key: string])[],
  purpose: string,
): Finding[] {
  const given = settings.some((setting) => isGiven(sheet, tenant, setting))
  if (given || !isEnabled(sheet, tenant, direction)) return []
  const names = settings.map(([side, key]) => `\`${side}.${key}\``).join(' or ')
  const message = `tenant \`${tenant}\` needs ${names} ${purpose}`
  const hint = `add it, or switch that way off with \`${direction}: { enabled: false }\``
  return [error('missing_key', sheet.nearestKey('tenants', tenant, settings[0]![0]), message, hint)]
}

function isGiven(sheet: Sheet, tenant: string, [side, key]: readonly [string, string]): boolean {
  const value = sheet.place('tenants', tenant, side, key)?.value
  return Array.isArray(value) ? value.length > 0 : sheet.has('tenants', tenant, side, key)
}

/** Whether a direction is on; not, for checks, where that is not known for a mistake. */
export function isEnabled(sheet: Sheet, tenant: string, direction: Direction): boolean {
  const path = ['tenants', tenant, direction, 'enabled']
  return sheet.has(...path) ? sheet.place(...path)?.value === true : true
}
