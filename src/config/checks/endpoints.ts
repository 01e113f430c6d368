import { type Endpoint, parseEndpoint, parsePublicUrl } from '../endpoint.ts'
import type { Place } from '../reading/places.ts'
import { error, type Finding, warning } from '../telling/finding.ts'
import { isEnabled } from './directions.ts'
import { named, type Sheet } from './sheet.ts'

/** Endpoints must be plain base URLs. Segment's region and endpoint say the same thing twice; one of them should be said. */
export function checkEndpoints(sheet: Sheet): Finding[] {
  const ofServer = checkPlace(sheet.place('server', 'public_url'), parsePublicUrl, PUBLIC_HINT)
  const ofTenants = sheet
    .tenants()
    .flatMap((tenant) => [
      ...checkUrl(sheet, tenant, 'refiner'),
      ...checkUrl(sheet, tenant, 'segment'),
      ...checkRegion(sheet, tenant),
    ])
  return [...ofServer, ...ofTenants]
}

const PUBLIC_HINT = 'give the https:// URL that the proxy in front of it answers on'

function checkUrl(sheet: Sheet, tenant: string, side: 'refiner' | 'segment'): Finding[] {
  const place = sheet.place('tenants', tenant, side, 'endpoint')
  return checkPlace(place, parseEndpoint, 'use https:// unless that network is your own')
}

function checkPlace(place: Place | null, parse: (text: string) => Endpoint, insecureHint: string): Finding[] {
  if (place === null) return []
  const name = named(...place.path)
  const endpoint = parse(String(place.value))
  if (!endpoint.ok)
    return [error('bad_endpoint', place.valueAt, `${name} ${endpoint.problem}`, endpoint.hint)]
  if (!endpoint.insecure) return []
  const message = `${name} sends keys and answers unencrypted (http://)`
  return [warning('insecure_endpoint', place.valueAt, message, insecureHint)]
}

function checkRegion(sheet: Sheet, tenant: string): Finding[] {
  const region = sheet.place('tenants', tenant, 'segment', 'region')
  const endpoint = sheet.place('tenants', tenant, 'segment', 'endpoint')
  if (region === null && endpoint === null) return checkNeither(sheet, tenant)
  if (region === null || endpoint === null) return []
  const message = `${named('tenants', tenant, 'segment')} has both a region and an endpoint`
  const hint = 'keep one: the region chooses an endpoint of Segment'
  return [error('region_and_endpoint', Math.max(region.keyAt, endpoint.keyAt), message, hint)]
}

/** The default is as good as any, but Segment takes what comes to the wrong region, and drops it without a word. */
function checkNeither(sheet: Sheet, tenant: string): Finding[] {
  const path = ['tenants', tenant, 'segment']
  const isSaid = sheet.has(...path, 'region') || sheet.has(...path, 'endpoint')
  const isSentTo = sheet.place(...path, 'write_key') !== null && isEnabled(sheet, tenant, 'to_segment')
  if (isSaid || !isSentTo) return []
  const message = `${named(...path, 'region')} is not said: the workspace is taken to be in the US`
  const hint =
    'write `region: us` or `region: eu`, as its settings say: Segment drops what goes to the wrong one'
  return [warning('region_not_said', sheet.nearestKey(...path), message, hint)]
}
