import { error, type Finding } from '../telling/finding.ts'
import { named, type Sheet } from './sheet.ts'

/** What is hashed needs a salt: without one, whoever has a list of emails has the hashes of them. */
export function checkPrivacy(sheet: Sheet): Finding[] {
  return sheet.tenants().flatMap((tenant) => {
    const path = ['tenants', tenant, 'privacy', 'traits'] as const
    const place = sheet.place(...path, 'hash')
    const isNeeded = Array.isArray(place?.value) && place.value.length > 0
    if (!isNeeded || sheet.has(...path, 'salt')) return []
    const message = `${named(...path, 'hash')} needs ${named(...path, 'salt')}`
    const hint = 'add `salt: "${ACME_PRIVACY_SALT}"`: a long random text that stays the same'
    return [error('missing_key', place.keyAt, message, hint)]
  })
}
