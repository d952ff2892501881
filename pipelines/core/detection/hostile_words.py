"""Word stems of direct insults, in normalised form: weak evidence that needs no model.

One such word means nothing (friends tease, regulars swear); detectors count it only for newcomers who come
in a crowd. The list is our own, short on purpose: insults of a person and calls to leave, no general
swearing; in part chosen by hand from the words that insulting lines of the train splits hold more often than
others (log-odds). The model's toxicity (side input) covers what is not here.
A stem matches where a word begins with it, one that ends in $ only the whole word; _ is a space.
"""

from typing import Final

_STEMS: Final = {
    "en": "idiot moron loser clown fraud crybaby pathetic retard nigg fag kys whore slut bitch scum "
    "worthless trash garbage stupid ugly disgusting embarrassing uninstall kill_yourself shut_it_down "
    "give_up go_away get_out quit_already log_off nobody_likes nobody_wants hate_you cringe subhuman "
    "dumb shut_up shut_your stfu fool asshole bastard cunt twat jerk$ fucker motherfucker coward liar$ "
    "hypocrite useless you_suck piece_of_sh pig$ creep$ no_one_likes get_lost die_already",
    "ru": "идиот придур клоун неудачник позор нытик дурак дура$ дурач бездар ничтож урод тупой тупая тупиц "
    "дебил мраз пидор пидар шлюх сука сучк чмо$ лох$ гнида скотин жалк никчемн заткнись вали_отсюда "
    "проваливай сдохни убей_себя уходи удаляй_канал закрывай_стрим ненавиж даун "
    "твар ублюд сволоч мудак мудач долбо падла быдло гандон козел козл уебок уебищ уебан хуйло бляд пидр$ "
    "соси$ тупые кретин болван осел$ свинь убожеств отвратит лузер слабак трус$ пошел_на пошла_на пошел_вон "
    "пошла_вон иди_нах иди_отсюда убирайся закрой_рот рот_закрой",
    "uk": "ідіот дурень нікчем потвор йолоп тварюк забирайся стули",
    "es": "idiota imbecil payaso perdedor fracasad lloron inutil estupid patetic asqueros maricon puta$ "
    "callate largate vete_ya rindete basura subnormal gilipollas nadie_te_quiere das_asco "
    "hijo_de_p hijos_de_p hdp$ conchetu culiao mentiros cobarde tonto tonta$ tontas miserable ignorante "
    "pelotud rata$ inept sinverguenza burro$ burra$ cretin zorra$ cabron bobo$ boba$ cerdo "
    "cierra_la_boca das_pena",
    "pt": "idiota imbecil palhaco perdedor fracassad chorao inutil estupid patetic nojent viado puta$ lixo "
    "cala_a_boca vaza$ desiste ridicul ninguem_gosta ninguem_te_quer "
    "babaca vagabund canalha arrombad otari burro$ burra$ burros jumento cretin desgracad corno$ cala_boca "
    "cuzao vadia$ piranha$ no_cu$ filho_da_p filha_da_p tolo$ tola$ mongol$ bosta$ covarde",
    "de": "idiot trottel clown versager depp nichtskonner jammerlapp erbarmlich hurensohn missgeburt fotze "
    "spast wichser arschloch dumm halt_die_klappe hau_ab verschwinde peinlich keiner_mag keiner_will "
    "abschaum halt_die_fresse halt_dein_maul halts_maul schnauze damlich spinner$ ficker pisser "
    "drecks asozial "
    "hasslich vollpfosten schwachkop schwein$ lugner penner$ nutte schlampe mistkerl ekelhaft "
    "widerlich verpiss "
    "blod$ blode$ bloder$",
    "fr": "idiot connard connasse salope abruti debile clown pathetique degage ferme_la pute$ encule minable "
    "pd$ ntm$ fdp$ creve honteux ta_gueule batard imbecile cretin bouffon casse_toi",
    "it": "idiota pagliaccio perdente stronzo stronza coglione troia$ vattene fai_schifo ridicolo patetico "
    "fallito ritardat scemo$ scema$ cretin deficient imbecill zitto$ zitta$",
    "pl": "idiota idioto klaun debil kretyn frajer spierdalaj zamknij_sie smiec kurwa pedal zalosn przegryw",
    "tr": "aptal salak gerizekal orospu pic$ serefsiz kapa_ceneni defol ezik palyaco rezil ibne",
    "zh": "白痴 智障 低能 垃圾 廢物 废物 去死 腦殘 脑残 傻逼 傻屄 滾 滚出 死全家 噁心 恶心 丟臉",
    "ko": "병신 ㅂㅅ 시발놈 꺼져 쓰레기 찐따 한심 죽어 미친놈 새끼 역겹",
    "ja": "死ね 消えろ きもい キモい ゴミ クズ 馬鹿 バカ うざい 帰れ",
    "ar": "غبي احمق حمار كلب اخرس حقير قذر فاشل مهرج",
    "hi": "bewakoof gadha kutta chutiya madarchod randi harami बेवकूफ गधा कुत्ता हरामी",
}
_FIRST_CJK: Final = 0x2E80
"""From here on scripts write without spaces, so a stem may begin anywhere."""

_ALL: Final = tuple(stem.replace("_", " ").replace("$", " ") for stem in " ".join(_STEMS.values()).split())
BEGINNINGS: Final = tuple(stem for stem in _ALL if ord(stem[0]) < _FIRST_CJK)
"""Stems that a word must begin with; a space at the end is the word's end."""
ANYWHERE: Final = tuple(stem for stem in _ALL if ord(stem[0]) >= _FIRST_CJK)
