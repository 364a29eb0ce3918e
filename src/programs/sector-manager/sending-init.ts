import type { Clock } from '../../clock/clock.ts';
import type { ManagerConfig } from '../../config/manager-file.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { idAddress } from '../../filecoin/address.ts';
import { connectMessager } from '../../outbox/messager.ts';
import type { Carrier, OutboxInit, SendingMiner } from '../../outbox/settings.ts';

/**
 * How messages are sent, and what each miner pays for them.
 * @throws CodedError `no-messager` where one should give the nonces and none is named
 */
export function sendingInit(components: { readonly clock: Clock }, config: ManagerConfig, file: string): OutboxInit {
  return { carrier: carrierOf(components, config, file), miners: config.miners.flatMap(sendingMiner) };
}

/** The messager where one is named, unless the operator chose. */
function carrierKind({ common: { api } }: ManagerConfig): Carrier['kind'] {
  return api.carrier ?? (api.messager === undefined ? 'own' : 'messager');
}

function carrierOf(components: { readonly clock: Clock }, config: ManagerConfig, file: string): Carrier {
  const { messager, token } = config.common.api;
  const carrier = carrierKind(config);
  if (carrier !== 'messager') return { kind: carrier };
  if (messager === undefined) {
    throw new CodedError(
      'no-messager',
      `${file}: [Common.API] Carrier is 'messager' and names none: set Messager, for example to /ip4/127.0.0.1/tcp/39812`,
    );
  }
  return { kind: carrier, messager: connectMessager(components, { token, ...messager }) };
}

function sendingMiner({ actor, post, commitment, snapUp }: ManagerConfig['miners'][number]): SendingMiner[] {
  if (!post.enabled || post.senders === undefined) return [];
  const { pre, prove, terminate } = commitment;
  return [
    {
      minerId: actor,
      address: idAddress(actor),
      senders: post.senders,
      sealingSenders: [pre, prove, terminate, snapUp].flatMap(({ senders }) => senders ?? []),
      fees: {
        gasOverEstimation: post.gasOverEstimation,
        gasOverPremium: post.gasOverPremium,
        gasFeeCap: post.gasFeeCap === 0n ? (post.maxFeeCap ?? 0n) : post.gasFeeCap,
        maxRecoveryFee: post.maxRecoveryFee,
      },
    },
  ];
}
