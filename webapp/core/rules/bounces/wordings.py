"""The words in which servers say why a mail came back, where no code does: in the languages of the servers that people meet most."""

import re
from enum import StrEnum


class BounceCause(StrEnum):
    NO_MAILBOX = "no_mailbox"
    NO_DOMAIN = "no_domain"
    DISABLED = "disabled"
    FULL = "full"
    TOO_LARGE = "too_large"
    LOOP = "loop"
    EXPIRED = "expired"
    POLICY = "policy"


_CAUSES: tuple[tuple[BounceCause, str], ...] = (
    (
        BounceCause.FULL,
        r"mailbox (?:is |\S+ is )?full|mailbox for \S+ is full|mailbox (?:is )?over quota|over ?-?quota|quota (?:is )?exceeded|"
        r"exceeded (?:its |his |their |the |storage )*(?:mailbox |storage |disk )?(?:quota|allocation|limit for)|exceed\w* quota|"
        r"insufficient (?:disk|system) (?:space|storage|quota)|"
        r"out of storage|not enough (?:storage|space)|exceeds? allowed quota|disk quota|quota voor|postvak (?:is |zit )?vol|"
        r"(?:postfach|mailbox|briefkasten)\S* (?:\S+ )?(?:ist |wurde )?(?:voll|überfüllt)|speicherplatz|"
        r"bo[iî]te (?:aux lettres|de réception|mail)?[^.\n]{0,40} (?:est )?pleine|"
        r"quota (?:dépassé|excedida|superad[oa]|excedido)|(?:buz[oó]n|casilla)[^.\n]{0,40} lleno|"
        r"caixa (?:postal|de correio|de entrada)[^.\n]{0,40} (?:cheia|lotada)|casella[^.\n]{0,30} piena|"
        r"容量(?:を)?(?:超|オーバ)|メールボックスが(?:一杯|いっぱい|満杯)",
    ),
    (
        BounceCause.DISABLED,
        r"(?:account|mailbox|user|recipient|address)[^.\n]{0,60}(?:is |has been |was |currently )?(?:disabled|suspended|inactive|"
        r"deactivated|blocked for inactivity|discontinued|expired|closed|\blocked)|"
        r"(?:disabled|inactive|suspended) (?:account|mailbox|user|recipient)|not (?:currently )?an? active (?:account|user)|"
        r"(?:konto|postfach)[^.\n]{0,40}(?:gesperrt|deaktiviert|geschlossen)|compte[^.\n]{0,40}(?:désactivé|suspendu|fermé)|"
        r"cuenta[^.\n]{0,40}(?:desactivada|suspendida|cancelada)|conta[^.\n]{0,40}(?:desativada|suspensa|inativa)|"
        r"利用停止",
    ),
    (
        BounceCause.NO_DOMAIN,
        r"host (?:or domain name |name )?(?:is )?(?:unknown|not found)|(?:unknown|no such) (?:host|domain)|name service error|unrouteable|"
        r"domain[^.\n]{0,60}(?:not found|does(?: not|n't) exist|couldn't be found)|couldn't find any host (?:by that name|named)|"
        r"nxdomain|no mx (?:record|or)|domain takes no mail|does not accept mail|null ?mx|dns type '?mx'?|"
        r"dom(?:ain|[äa]ne)[^.\n]{0,40}(?:existiert nicht|nicht gefunden)|domaine[^.\n]{0,40}(?:introuvable|n'existe pas)|"
        r"dominio[^.\n]{0,40}(?:no existe|non trovato|inexistente)|dom[ií]nio[^.\n]{0,40}(?:não (?:existe|encontrado)|inexistente)",
    ),
    (
        BounceCause.NO_MAILBOX,
        r"(?:user|recipient|mailbox|address|account|addressee|member)[^.\n]{0,60}"
        r"(?:unknown|not found|not listed|not exist|n't exist|not be found|"
        r"n't be found|not recogni[sz]ed|not known|invalid|undeliverable|no longer|not here|unavailable)|"
        r"(?:unknown|no such|invalid|bad|nonexist[ae]nt|non-existent|not a valid|no valid|unrecogni[sz]ed|unresolvable) "
        r"(?:local |destination |final delivery |virtual |e?-?mail )*"
        r"(?:user|userid|recipient|mailbox|address|account|part|alias|person|people|name)|does not (?:have an account|like recipient)|"
        r"no mailbox (?:here )?(?:by|with) that name|doesn'?t have an? \S+ account|no account by that name|(?:user|person) not listed|"
        r"couldn't be found|not a (?:known|local|valid) (?:user|mailbox|recipient)|there is no (?:user|such)|no user (?:by|with)|"
        r"recipient address rejected: access denied|there is no one at this address|rejected: undeliverable address|"
        r"that (?:address|user) does not exist|does not exist (?:at|here)|"
        r"(?:empf[äa]nger|benutzer|adresse|postfach)[^.\n]{0,60}(?:unbekannt|nicht gefunden|existiert nicht|nicht (?:bekannt|vorhanden)|"
        r"ungültig)|unbekannter (?:empf[äa]nger|benutzer)|(?:adresse|destinataire|utilisateur|boîte)[^.\n]{0,60}"
        r"(?:inconnue?|introuvable|n'existe pas|invalide|inexistante?)|(?:geadresseerde|gebruiker|ontvanger|adres)[^.\n]{0,60}"
        r"(?:onbekend|bestaat niet|niet gevonden)|onbekende (?:gebruiker|ontvanger)|"
        r"(?:usuario|direcci[oó]n|destinatario|buz[oó]n|cuenta|utente|indirizzo|casella)"
        r"[^.\n]{0,60}(?:desconocido|no existe|inexistente|no (?:se )?encontr|no v[áa]lid|sconosciuto|non esiste|non trovat)|"
        r"(?:usu[áa]rio|destinat[áa]rio|endereço|caixa|conta)[^.\n]{0,60}"
        r"(?:desconhecido|inexistente|não (?:existe|encontrad|foi encontrad))|"
        r"宛先(?:の)?(?:メール)?アドレス(?:が|は)[^。\n]{0,20}(?:存在|見つか)|(?:ユーザ|宛先)[^。\n]{0,20}(?:不明|存在し)|宛先不明|用户不存在|收件人不存在",
    ),
    (
        BounceCause.TOO_LARGE,
        r"(?:message|mail)[^.\n]{0,40}too (?:large|big|long)|(?:message|mail) size exceeds|exceeds[^.\n]{0,40} (?:message|fixed) size|"
        r"size limit|nachricht ist zu gro(?:ß|ss)|message trop (?:gros|volumineux)",
    ),
    (
        BounceCause.LOOP,
        r"mail (?:forwarding )?loop|loops? back|looping|hop count exceeded|too many (?:hops|received)|routing loop",
    ),
    (
        BounceCause.EXPIRED,
        r"retry time(?:out)? (?:not reached|exceeded)|(?:retry|delivery|queue) (?:time|timeout)[^.\n]{0,30}(?:exceeded|expired)|"
        r"(?:message|mail) expired|"
        r"(?:was |been )?in the queue too long|gave? up|giving up|given up|could not be delivered (?:for|within) \S+ (?:days?|hours?)|"
        r"undeliverable for \S+ days?|timed? ?out|connection (?:refused|timed)|no route to host|network is unreachable|"
        r"not (?:yet )?be(?:en)? delivered (?:after|for) \d|temporarily|try again later|lease try again",
    ),
    (
        BounceCause.POLICY,
        r"spam|\bjunk\b|blacklist|block ?list|black ?list|blocked|blocking|\brbl\b|dnsbl|reputation|polic(?:y|ies)|"
        r"dmarc|\bspf\b|dkim|"
        r"not (?:authori[sz]ed|permitted|allowed)|unauthori[sz]ed|access denied|relay(?:ing)? (?:access )?denied|relay not permitted|"
        r"prohibited|content (?:rejected|filter)|virus|malware|refused by|rejected for|unsolicited|bulk mail|restricted|filtered",
    ),
)
_PATTERNS = [(cause, re.compile(pattern, re.IGNORECASE)) for cause, pattern in _CAUSES]
LONGEST = 4_000
_ADDRESS = re.compile(r"[^\s<>;,:\"'()]{1,64}@[^\s<>;,:\"'()]{1,255}")


def cause_of(words: str) -> BounceCause | None:
    """What the words amount to; None where they say nothing known. Only their first `LONGEST` characters are read."""
    words = _ADDRESS.sub("it", words[:LONGEST])
    return next((cause for cause, pattern in _PATTERNS if pattern.search(words)), None)


_DELAYED = re.compile(
    r"(?:this is a )?warning (?:message )?only|you do not need to resend|will (?:continue to )?(?:be )?(?:re)?tr(?:y|ied)|"
    r"delivery (?:has been |is )?delayed|not yet been delivered|still being (?:tried|retried)|could not be delivered yet|"
    r"delayed \d+ hours?|"
    r"(?:wird|werden) weiter versucht|verzögert|remise différée|se seguirá intentando|wordt opnieuw geprobeerd",
    re.IGNORECASE,
)


def says_delayed(words: str) -> bool:
    """Whether the words say that delivery is still being tried."""
    return _DELAYED.search(words[:LONGEST]) is not None


_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|problem|has failed|incomplete|notification|error|report|delay|temp)|returned (?:mail|to sender|"
    r"e-?mail)|mail (?:delivery|system error|could not)|failure notice|delivery.{0,20}fail|non-?delivery|rejected|unzustellbar|"
    r"zustellung|nicht zugestellt|non remis|échec de (?:la )?(?:remise|livraison)|non distribu|onbestelbaar|niet bezorgd|"
    r"kan niet worden|no se (?:puede|pudo) entregar|no entregado|devuelto|entrega|mensagem devolvida|não entreg|mancata consegna|"
    r"配信(?:不能|エラー|できません)|エラー(?:通知|メール)|niedostarcz|nie dostarczono|bounce|could not be delivered|message delayed|"
    r"error sending|退信|mail status report|undelivered|notification d'état|mailer-daemon|email delivery error|message status",
    re.IGNORECASE,
)


def is_subject_of_a_return(subject: str) -> bool:
    return _SUBJECT.search(subject) is not None
