import { DEFAULTS } from '../defaults.ts'
import { error, type Finding } from '../telling/finding.ts'
import { named, type Sheet } from './sheet.ts'

/** A webhook's settings must be those of the way in which it carries its secret. */
export function checkWebhooks(sheet: Sheet): Finding[] {
  return sheet.tenants().flatMap((tenant) => checkWebhook(sheet, ['tenants', tenant, 'refiner', 'webhook']))
}

function checkWebhook(sheet: Sheet, path: readonly string[]): Finding[] {
  const way = sheet.has(...path, 'in') ? sheet.text(...path, 'in') : DEFAULTS.webhookIn
  if (way === null || sheet.place(...path) === null) return []
  return [
    ...(way === 'bearer' ? pointless(sheet, [...path, 'name'], 'header, query or hmac') : []),
    ...(way === 'hmac' ? [] : pointless(sheet, [...path, 'algorithm'], 'hmac')),
    ...(way === 'hmac' ? [] : pointless(sheet, [...path, 'encoding'], 'hmac')),
    ...(way === 'header' || way === 'hmac' ? checkHeaderName(sheet, [...path, 'name']) : []),
  ]
}

function pointless(sheet: Sheet, path: readonly string[], ways: string): Finding[] {
  const place = sheet.place(...path)
  if (place === null) return []
  const message = `${named(...path)} has a meaning only with \`in\` ${ways}`
  return [error('pointless_webhook_setting', place.keyAt, message, 'remove it, or set `in`')]
}

/** The characters of an HTTP field name, RFC 9110 section 5.6.2. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

function checkHeaderName(sheet: Sheet, path: readonly string[]): Finding[] {
  const place = sheet.place(...path)
  if (place === null || FIELD_NAME.test(String(place.value))) return []
  const hint = `such as \`${DEFAULTS.webhookHeader}\``
  return [error('bad_webhook_name', place.valueAt, `${named(...path)} is no name of a header`, hint)]
}
