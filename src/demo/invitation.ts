import { DEMO_KEYS, TENANT } from './configuration.ts'
import type { Narrator } from './narrator.ts'
import type { Palette } from './palette.ts'

/** What to try next: the daemon's addresses, and requests to paste into another terminal. */
export function invite(url: string, narrator: Narrator, palette: Palette): void {
  narrator.heading('Your turn')
  narrator.line()
  narrator.line(`  ${palette.quiet('health ')}  ${url}/health`)
  narrator.line(`  ${palette.quiet('metrics')}  ${url}/metrics`)
  narrator.line(
    `  ${palette.quiet('console')}  ${url}/ui, with any name and the password ${DEMO_KEYS.adminToken}`,
  )
  narrator.line()
  narrator.line('  Send more from another terminal; what it causes is shown below.')
  narrator.line()
  narrator.line(palette.quiet('  # Refiner reports a completed survey'))
  narrator.line(surveyCurl(url))
  narrator.line()
  narrator.line(palette.quiet('  # Segment tells of a user'))
  narrator.line(identifyCurl(url))
  narrator.line()
  narrator.line(palette.quiet('  # What a backfill of the last months would send; without --dry-run it does'))
  narrator.line(backfillCommand(url))
  narrator.line()
  narrator.line(`  Press ${palette.strong('Ctrl-C')} to stop.`)
  narrator.line()
}

/** The shell puts a new response ID in each time: the same response again would be sent on only once. */
function surveyCurl(url: string): string {
  return `  curl ${url}/v1/refiner/${TENANT} \\
    -H 'Authorization: Bearer ${DEMO_KEYS.webhookSecret}' -H 'Content-Type: application/json' \\
    -d '{"triggered_event":"Completed Survey","remote_id":"user-7","email":"hedy@example.com",
         "form":{"uuid":"form-1","name":"NPS"},
         "response":{"uuid":"response-'$(date +%s)'","data":{"nps":"10"}}}'`
}

function identifyCurl(url: string): string {
  return `  curl ${url}/v1/segment -u ${DEMO_KEYS.destinationKey}: -H 'Content-Type: application/json' \\
    -d '{"type":"identify","userId":"user-7","traits":{"email":"hedy@example.com","plan":"team"}}'`
}

/** By the name that the binary has; from the sources it is `bun src/main.ts`. */
function backfillCommand(url: string): string {
  return `  REFINER_SYNC_ADMIN_TOKEN=${DEMO_KEYS.adminToken} \\
    refiner-sync backfill --url ${url} --tenant ${TENANT} --since 120d --dry-run`
}
