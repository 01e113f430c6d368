import { parseEndpoint } from '../endpoint.ts'
import { error, type Finding, warning } from '../telling/finding.ts'
import { named, type Sheet } from './sheet.ts'

/** Endpoints must be plain base URLs, and Segment's region and endpoint say the same thing twice. */
export function checkEndpoints(sheet: Sheet): Finding[] {
  return sheet
    .tenants()
    .flatMap((tenant) => [
      ...checkUrl(sheet, tenant, 'refiner'),
      ...checkUrl(sheet, tenant, 'segment'),
      ...checkRegion(sheet, tenant),
    ])
}

function checkUrl(sheet: Sheet, tenant: string, side: 'refiner' | 'segment'): Finding[] {
  const place = sheet.place('tenants', tenant, side, 'endpoint')
  if (place === null) return []
  const name = named(...place.path)
  const endpoint = parseEndpoint(String(place.value))
  if (!endpoint.ok)
    return [error('bad_endpoint', place.valueAt, `${name} ${endpoint.problem}`, endpoint.hint)]
  if (!endpoint.insecure) return []
  const message = `${name} sends keys and answers unencrypted (http://)`
  return [
    warning('insecure_endpoint', place.valueAt, message, 'use https:// unless that network is your own'),
  ]
}

function checkRegion(sheet: Sheet, tenant: string): Finding[] {
  const region = sheet.place('tenants', tenant, 'segment', 'region')
  const endpoint = sheet.place('tenants', tenant, 'segment', 'endpoint')
  if (region === null || endpoint === null) return []
  const message = `${named('tenants', tenant, 'segment')} has both a region and an endpoint`
  const hint = 'keep one: the region chooses an endpoint of Segment'
  return [error('region_and_endpoint', Math.max(region.keyAt, endpoint.keyAt), message, hint)]
}
