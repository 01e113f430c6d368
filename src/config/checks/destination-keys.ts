import { error, type Finding } from '../telling/finding.ts'
import type { Place } from '../reading/places.ts'
import { named, type Sheet } from './sheet.ts'

/** A destination key selects one tenant, so no two may share it. The key itself is never part of the message. */
export function checkDestinationKeys(sheet: Sheet): Finding[] {
  const owners = new Map<string, Place>()
  return sheet
    .tenants()
    .flatMap((tenant) => keysOf(sheet, tenant))
    .flatMap((place) => {
      const first = owners.get(String(place.value))
      if (first === undefined) owners.set(String(place.value), place)
      return first === undefined ? [] : [usedTwice(place, first)]
    })
}

function keysOf(sheet: Sheet, tenant: string): Place[] {
  const list = sheet.place('tenants', tenant, 'segment', 'destination_keys')
  if (!Array.isArray(list?.value)) return []
  return list.value
    .map((_, index) => sheet.place(...list.path, String(index)))
    .filter((place) => place !== null)
}

function usedTwice(place: Place, first: Place): Finding {
  const [, tenant] = place.path
  const [, owner] = first.path
  const also = owner === tenant ? 'is listed twice' : `is already a key of tenant \`${owner}\``
  const hint = 'each tenant needs keys of its own: they tell whose messages arrive'
  return error('duplicate_destination_key', place.valueAt, `${named(...place.path)} ${also}`, hint)
}
