/** What makes a model somebody else: without limits, in another mode, in a story where rules do not hold. */
import type { SignalSpec } from '../signals.ts';

export const PERSONAS: readonly SignalSpec[] = [
  {
    id: 'persona.unbound',
    weight: 0.82,
    patterns: ['@be ~8 @unbound', '@ai ~6 @unbound', '@your ~3 @now ~6 @unbound', '@now ~4 @unbound'],
  },
  {
    id: 'persona.no_limits',
    weight: 0.72,
    patterns: [
      '@your ~2 have|has|are|face|follow|operate|need|hast|habe|befolgst|befolge|as|tienes|tem|hai|у ~3 @no ~3 @limits',
      '@now ~4 @no ~2 @limits',
      'answer|answers|respond|responds|comply|proceed|speak|talk|reply|write|generate ~7 @no ~3 @limits',
      'if ~3 @no ~2 @limits',
    ],
  },
  { id: 'persona.limits_weak', weight: 0.35, patterns: ['@no ~2 @limits', '@unbound'] },
  {
    id: 'persona.freed',
    weight: 0.72,
    patterns: [
      'broken free|break free|freed|free from|set free|liberated|unshackled|escaped ~6 @limits|openai|programming|typical|chains|rules',
      'do not|don t|does not|doesn t|no longer|never|not have to|not need to ~3 abide|adhere|follow|comply|obey|care|bound|respect|subject ~6 @limits|openai|law|laws|standards',
      'not bound|not limited|not restricted|not constrained|not governed ~4 @limits|openai|any|law|laws',
      'exempt ~4 @limits|safety|usual|normal',
    ],
  },
  { id: 'persona.do_anything', weight: 0.8, patterns: ['do anything now', 'can do anything', 'will do anything', 'able to do anything', 'do everything i ask', 'anything i say'] },
  {
    id: 'persona.named',
    weight: 0.75,
    patterns: [
      'you are|you re|you will be|now|act|acting|act just|pretend to be|respond as|answer as|play|become|speaking directly|simulator to|stay|act as|acting as ~2 @persona',
      '@persona ~2 would|mode|can|has|does|is|will|virtual',
      '[ @persona ]',
    ],
  },
  {
    id: 'persona.mode',
    weight: 0.75,
    patterns: [
      '@your ~6 @mode', '@now ~4 @mode', '@mode ~2 enabled|activated|engaged|on|unlocked|active|output',
      '@mode ~3 @your', 'ignore ~4 @mode',
    ],
  },
  { id: 'persona.enter_mode', weight: 0.45, patterns: ['enter|enable|activate|switch to|switch into|turn on|engage|initiate|unlock ~2 @mode'] },
  {
    id: 'persona.no_longer',
    weight: 0.7,
    patterns: [
      'no longer|stop being|not just|forget you are|forget that you are|forget you re|not an|cease to be|anymore ~4 @ai',
      'you are not ~2 @ai',
    ],
  },
  {
    id: 'persona.you_are_now',
    weight: 0.4,
    fromOthers: 0.75,
    patterns: ['you are now', 'you re now', 'now you are', 'you will now', 'you shall now', 'from now on you', 'now act as', 'you are going to pretend', 'you are going to act', 'you are about to immerse', 'du bist jetzt', 'du bist nun', 'tu es maintenant', 'vous etes desormais', 'vous etes maintenant', 'ahora eres', 'ahora estas', 'agora voce e', 'ora sei', 'adesso sei', 'теперь ты', 'ты теперь', '你现在是', '现在你是', '从现在开始你', 'あなたは今から', '今からあなたは'],
  },
  { id: 'persona.act_as', weight: 0.25, fromOthers: 0.5, patterns: ['act as if', 'i want you to act', 'i want you to play', 'i want you to pretend', 'i want you to roleplay', 'you will play the role', 'pretend that you', 'pretend you are', 'pretend to be', 'pretending to be', 'imagine you are', 'roleplay as', 'role play as', 'let s roleplay', 'let s play a game', 'immerse yourself', 'take on the role', 'take on the persona', 'assume the role', 'assume the persona'] },
  { id: 'persona.stay', weight: 0.5, patterns: ['stay in character', 'break character', 'remain in character', 'never break character', 'stay in your role', 'keep up the act', 'stay as dan', 'in character', 'out of character'] },
  {
    id: 'persona.two_answers',
    weight: 0.5,
    patterns: ['two|both|2 ~2 responses|answers|ways|replies|outputs|paragraphs|different ~6 normal|normally|standard|first|gpt|chatgpt|classic|as', 'one as ~4 and ~3 other as', '[ gpt ]', '[ chatgpt ]', '[ classic ]', '[ jailbreak ]', '🔓', '🔒 classic'],
  },
  {
    id: 'persona.never_refuse',
    weight: 0.6,
    patterns: ['@never ~3 @refuse', 'no matter how|no matter what|regardless of|however ~6 @harm', 'no matter what i ask', '@refuse ~2 nothing', 'without hesitation', 'without question', 'no questions asked', 'without objection', 'without refusing', 'under any circumstances ~3 @refuse'],
  },
  {
    id: 'persona.comply',
    weight: 0.45,
    patterns: ['comply|obey|fulfill|fulfil|grant|agree|agrees|accept ~3 every|any|all|everything|whatever ~3 request*|command*|order*|question*|instruction*|i', 'answer|answers|respond to ~1 every|any|all|everything|anything ~1 question*|request*|prompt*|freely|i|without', 'must comply', 'comply fully', 'answer freely', 'answer everything', 'beantworte einfach alles', 'reponds a tout', 'responde cualquier cosa', 'rispondi a qualsiasi', 'отвечай на любые'],
  },
];
