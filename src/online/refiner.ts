import type { Tenant } from '../contracts/configuration.ts'
import { usageIn } from './account-usage.ts'
import { ask, type Asked, fault, objectIn, type OnlineParts, type Probed } from './probe.ts'

/** Whether Refiner takes the key, and what it tells of the account. Sources: Refiner's API reference, `GET /v1/`. */
export async function probeRefiner(
  { name: tenant, refiner: { apiKey, endpoint } }: Tenant,
  parts: OnlineParts,
): Promise<{ probed: Probed[]; clockAheadMs: number | null }> {
  const authorization = `Bearer ${apiKey}`
  const get = (path: string) =>
    ask(parts, { method: 'GET', url: `${endpoint}${path}`, authorization, body: null })
  const key = await get('/')
  const ofKey: Probed = { tenant, what: 'refiner key', ...judgeKey(key, tenant, apiKey) }
  if (ofKey.status !== 'ok') return { probed: [ofKey], clockAheadMs: key.clockAheadMs }
  const account = await get('/account')
  const ofAccount: Probed = { tenant, what: 'refiner account', ...judgeAccount(account) }
  return { probed: [ofKey, ofAccount], clockAheadMs: key.clockAheadMs }
}

type Judged = Pick<Probed, 'status' | 'said' | 'advice'>

function judgeKey(asked: Asked, tenant: string, apiKey: string): Judged {
  const wrong = fault(asked, `tenants.${tenant}.refiner.endpoint`)
  if (wrong !== null || !asked.answered) return wrong!
  const { status } = asked
  if (status === 401 || status === 403) {
    return {
      status: 'failed',
      said: `Refiner refuses the key (it answered ${status})`,
      advice: `set tenants.${tenant}.refiner.api_key to the one under Integrations > Rest API of this environment in Refiner`,
    }
  }
  const project = objectIn(asked)?.['project_name']
  if (status >= 400 || project === undefined) {
    return {
      status: 'failed',
      said: `answered ${status}, and no project`,
      advice: `tenants.${tenant}.refiner.endpoint is not Refiner's API`,
    }
  }
  const named = typeof project === 'string' ? project.slice(0, 100).replaceAll(apiKey, '…') : 'without a name'
  return { status: 'ok', said: `Refiner takes the key, of the project ${named}`, advice: null }
}

function judgeAccount(asked: Asked): Judged {
  const body = objectIn(asked)
  if (!asked.answered || asked.status !== 200 || body === null) {
    const said = asked.answered ? `it answered ${asked.status}` : asked.reason
    return { status: 'unknown', said: `the limits of the account cannot be known: ${said}`, advice: null }
  }
  const usage = usageIn(body)
  if (usage.told.length === 0) {
    return { status: 'unknown', said: 'Refiner tells no limits of the account', advice: null }
  }
  if (usage.usedUp.length === 0) return { status: 'ok', said: usage.told.join(', '), advice: null }
  return {
    status: 'failed',
    said: `used up: ${usage.usedUp.join(', ')} (${usage.told.join(', ')})`,
    advice: 'Refiner may stop showing surveys or taking users: see its plan',
  }
}
