import { DEFAULTS } from '../defaults.ts'
import { error, type Finding, warning } from '../telling/finding.ts'
import type { Place } from '../reading/places.ts'
import type { Bounds } from '../schema-fields.ts'
import { named, type Sheet } from './sheet.ts'
import { parseAmount, parseDuration, type Unit } from '../units.ts'

/** Durations, sizes and rates within their bounds, and the waits of a delivery in their order. */
export function checkAmounts(sheet: Sheet): Finding[] {
  return [...sheet.places().flatMap(checkBounds), ...checkBackoff(sheet), ...checkGiveUp(sheet)]
}

function checkBounds({ schema, value, path, valueAt }: Place): Finding[] {
  const unit: Unit | undefined = schema?.['unit']
  if (unit === undefined) return []
  const { atLeast, atMost }: Bounds = schema!['bounds']
  const amount = parseAmount(unit, String(value))
  if (amount >= parseAmount(unit, atLeast) && amount <= parseAmount(unit, atMost)) return []
  return [error('out_of_range', valueAt, `${named(...path)} must be from ${atLeast} to ${atMost}`)]
}

function checkBackoff(sheet: Sheet): Finding[] {
  const least = sheet.place('delivery', 'min_backoff')
  const most = sheet.place('delivery', 'max_backoff')
  const at = most?.valueAt ?? least?.valueAt
  if (at === undefined) return []
  const from = amountOr(least, DEFAULTS.minBackoff)
  const to = amountOr(most, DEFAULTS.maxBackoff)
  if (parseDuration(from) <= parseDuration(to)) return []
  const message = '`delivery.min_backoff` is longer than `delivery.max_backoff`'
  const hint = `without a setting they are ${DEFAULTS.minBackoff} and ${DEFAULTS.maxBackoff}`
  return [error('backoff_order', at, message, hint)]
}

function amountOr(place: Place | null, preset: string): string {
  return place === null ? preset : String(place.value)
}

/** The product's promise: what fails is retried for at least three days. */
const PROMISED = '3d'

function checkGiveUp(sheet: Sheet): Finding[] {
  const place = sheet.place('delivery', 'give_up_after')
  if (place === null || parseDuration(String(place.value)) >= parseDuration(PROMISED)) return []
  const message = '`delivery.give_up_after` is under three days: a longer outage leaves deliveries dead'
  return [warning('short_give_up', place.valueAt, message, 'dead deliveries are kept, but never sent again')]
}
