/** The sample tenant, as a user would write it. Its keys open nothing but the stand-ins. */

export const TENANT = 'acme'

export const DEMO_KEYS = {
  refinerApiKey: 'demo-refiner-api-key',
  webhookSecret: 'demo-webhook-secret',
  segmentWriteKey: 'demo-segment-write-key',
  destinationKey: 'demo-destination-key',
  adminToken: 'demo-admin-token',
} as const

export interface DemoAddresses {
  /** Where the daemon listens; 0 takes a free port. */
  readonly port: number
  readonly segmentUrl: string
  readonly refinerUrl: string
}

/** refiner-sync.yaml for the demo; its database lies beside the file. */
export function demoYaml({ port, segmentUrl, refinerUrl }: DemoAddresses): string {
  return `
server: { port: ${port}, admin_token: ${DEMO_KEYS.adminToken} }
database: sqlite://./refiner-sync.db
tenants:
  ${TENANT}:
    refiner:
      api_key: ${DEMO_KEYS.refinerApiKey}
      endpoint: ${refinerUrl}
      webhook: { secret: ${DEMO_KEYS.webhookSecret}, in: bearer }
    segment:
      write_key: ${DEMO_KEYS.segmentWriteKey}
      endpoint: ${segmentUrl}
      destination_keys: [${DEMO_KEYS.destinationKey}]
    to_segment:
      events:
        completed: Completed Survey
        seen: Saw Survey
        dismissed: Dismissed Survey
        segment_entered: Refiner Segment Entered
        tag_added: Survey Tagged
`.trimStart()
}
