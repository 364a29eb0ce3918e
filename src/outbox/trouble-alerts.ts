import type { OutboxComponents } from './components.ts';
import type { HandedMessage, IntendedMessage, OpenMessage, SignedOutboxMessage } from './outbox-message.ts';

type Components = Pick<OutboxComponents, 'alerts'>;

/** @param hint what happens now, or what to do */
export function tellStuck({ alerts }: Components, message: SignedOutboxMessage | HandedMessage, hint: string): void {
  alerts.raise(`message-stuck/${message.id}`, {
    class: 'message-stuck',
    severity: 'warning',
    minerId: message.minerId,
    text: `message ${message.id} (method ${message.method}) of ${message.signer} does not land: ${hint}`,
  });
}

export function tellBudgetSpent({ alerts }: Components, message: SignedOutboxMessage | IntendedMessage): void {
  alerts.raise(`fee-budget/${message.id}`, {
    class: 'fee-budget',
    severity: 'critical',
    minerId: message.minerId,
    text:
      `message ${message.id} cannot land at this base fee: it may cost ${message.maxFee} attoFIL; ` +
      `raise ${message.purpose === 'recover' ? 'MaxRecoveryFee' : 'MaxFee'} in [Miners.PoSt] and restart the manager for the next message`,
  });
}

export function tellForeign({ alerts }: Components, signer: string, what: string): void {
  alerts.raise(`foreign-messages/${signer}`, {
    class: 'foreign-messages',
    severity: 'critical',
    text: `${what} of ${signer} not sent by this cluster; nothing else may use this sender, or set [Common.API] Carrier to who gives its nonces`,
  });
}

export function tellShortOfFunds({ alerts }: Components, message: OpenMessage, sender: string): void {
  alerts.raise(`sender-balance/${sender}`, {
    class: 'sender-balance',
    severity: 'critical',
    minerId: message.minerId,
    text: `${sender} cannot pay for message ${message.id}: send it funds`,
  });
}

/** The message is finished. */
export function forget({ alerts }: Components, message: OpenMessage): void {
  alerts.resolve(`message-stuck/${message.id}`);
  alerts.resolve(`fee-budget/${message.id}`);
}
