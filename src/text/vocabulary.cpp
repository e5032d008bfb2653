#include "text/vocabulary.hpp"

#include <array>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace al::text {
namespace {

constexpr std::string_view stop_words =
    "a about above after again against all also although always am an and any anyone anything are arent as at be "
    "because been before being below both but by can cannot cant could couldnt did didnt do does doesnt doing done "
    "dont down during each either else etc ever every everything few for from further had hadnt has hasnt have havent "
    "having he hed hell her here hers herself hes him himself his how however i id if ill im in instead into is isnt "
    "it its itself ive just lets may me might mine more most must my myself neither never no nor not nothing now of "
    "off often on once only onto or other others otherwise our ours ourselves out over own per perhaps please quite "
    "rather really same shall she shes should shouldnt since so some somebody someone something sometimes somewhere "
    "still such than that thats the their theirs them themselves then there theres therefore these they theyd theyll "
    "theyre theyve this those though through thus to too toward towards under until unless up upon us very via was "
    "wasnt we wed well were werent weve what whatever whats when whenever where whereas wheres whether which whichever "
    "while who whoever whom whos whose why will with within without wont would wouldnt yes yet you youd youll your "
    "youre yours yourself yourselves youve eg ie vs hi hello hey thanks thank ok okay";

constexpr std::string_view common_words =
    "able across actual actually add added adding advice allow allowed almost along already among another answer "
    "anyway appear apply appropriate area around ask asked asking avoid away bad based basic basically become begin "
    "beginner behind best better between big bit bring call called care case certain change changed changes changing "
    "choose choosing clear clearly come comes coming common commonly compare compared comparison complete completely "
    "consider correct correctly create created creates creating current currently day days deal dealing decide "
    "deciding define describe described detail details differ difference differences different do easier easily easy "
    "effective effectively end enough ensure especially even exactly example examples exist exists expect explain "
    "explained explanation fact far feel find finding first follow following found full fully further gave general "
    "generally get gets getting give given gives giving go goes going gone good got great guide guideline guidelines "
    "half hand handle handled handling happen happened happening happens help helpful helps high hour hours idea "
    "ideas important include includes including instead introduce involved issue issues keep keeping keeps kind "
    "kinds know knowing known large last late lately later latest lead least leave less let level like likely little "
    "long look looking looks lot lots low made main mainly major make makes making manage many matter maybe mean "
    "meaning means meant method methods mind month months much need needed needing needs new newest next nice normal "
    "normally number numbers obtain old one ones overview part particular particularly parts people person pick "
    "piece place point points possible possibly practice practices prefer prepare pretty probably problem problems "
    "proceed produce proper properly provide provided purpose put puts putting question questions quick quickly "
    "ready real reason reasons recent recently recommend recommended related require required "
    "requirement requirements requires right rule rules said say saying says second see seem seems seen sense set "
    "sets setting several short show showing shown shows side similar simple simplest simply single situation small "
    "solution solutions soon sort specific specifically start started starting step steps stuff suggest suggestion "
    "suitable sure take taken takes taking talk tell term terms thing things think thinking third three time times "
    "tip tips today together told top topic total tried try trying turn two type types typical typically understand "
    "understanding use used useful user uses using usual usually value various want wanted wants way ways week weeks "
    "whole wish word words work worked working works world worth wrong year years";

constexpr std::string_view everyday_words =
    "accept accepts agree announce argue arrive beautiful belong belongs billion blame boss break breaks broken "
    "brought build building builds busy buy buys catch caught chance cheap cheaper choice clean climb close closed "
    "cold colleague colleagues collect comfortable complain continue control count cover cross cut cuts dangerous "
    "dark dead deep deliver depend depends design develop die discover discuss divide double draw drive drop dry eat "
    "eight enjoy enter escape everybody everyone extra fail fails fair fall fast faster fastest fear feed fell fight "
    "fill fine finish fit five fix fly forget forgot forgotten four free fresh friend friends gain gather grew "
    "grow grows guess hang hangs happy hate healthy hear heard hearing heavy hid hide hit hold holds hope huge human "
    "humans hundred hundreds hurt impossible improve increase introduced introduces invite join jump kill "
    "lay learn learning leaves lie lift listen live lives living lose losing lost loud love lucky meet mention "
    "million millions minute minutes miss mix modern moment morning move movement narrow natural near nearly night "
    "nights nine nobody notice occur open opens ordinary outside park pass pay perfect personal play pleasant polite "
    "poor popular position press prevent print promise protect prove pull pulls push quiet raise ran reach read "
    "reading reads receive reduce refuse remain remember remove repair repeat replace respond responsible rest "
    "return rich ride ring rise roll rude run running runs sad safe save search sell send sending sends sent "
    "separate serious serve settle seven shake share sharp shoot shut sign sing sit six size sleep slow smart soft "
    "solve sound sounding speak special spend split spread stand stay stays steady steal stick stop story strange "
    "strong study style subject succeed success sudden suffer suppose surprise survive swim tall teach tear ten tend "
    "thousand thousands throw tight tiny tired touch train travel treat trouble true trust truth tune twelve twice "
    "ugly unusual visit wait wake walk warm warn wash waste watch weak wear wide wild win won wonder worry worse "
    "worst write writes writing written wrote young zero";

constexpr auto abbreviation_table = std::to_array<Abbreviation>({
    {"a11y", "accessibility"},
    {"ai", "artificial intelligence"},
    {"app", "application"},
    {"auth", "authentication"},
    {"auth", "authorization"},
    {"authn", "authentication"},
    {"authz", "authorization"},
    {"ci", "continuous integration"},
    {"config", "configuration"},
    {"csrf", "cross site request forgery"},
    {"db", "database"},
    {"ddos", "denial service"},
    {"dr", "disaster recovery"},
    {"eda", "exploratory data analysis"},
    {"env", "environment"},
    {"etl", "extract transform load"},
    {"gc", "garbage collection"},
    {"ha", "high availability"},
    {"i18n", "internationalization"},
    {"iac", "infrastructure code"},
    {"info", "information"},
    {"js", "javascript"},
    {"k8s", "kubernetes"},
    {"l10n", "localization"},
    {"llm", "language model"},
    {"mfa", "2fa"},
    {"mfa", "multi factor authentication"},
    {"mfa", "two factor authentication"},
    {"mitm", "man middle"},
    {"ml", "machine learning"},
    {"mongo", "mongodb"},
    {"nlp", "natural language processing"},
    {"oop", "object oriented programming"},
    {"ops", "operations"},
    {"os", "operating system"},
    {"perf", "performance"},
    {"pg", "postgresql"},
    {"postgres", "postgresql"},
    {"pr", "pull request"},
    {"py", "python"},
    {"rag", "retrieval augmented generation"},
    {"rbac", "role based access control"},
    {"regex", "regular expression"},
    {"repo", "repository"},
    {"sqli", "sql injection"},
    {"ssl", "tls"},
    {"sso", "single sign"},
    {"ssr", "server side rendering"},
    {"struct", "structure"},
    {"tdd", "test driven development"},
    {"ts", "typescript"},
    {"ui", "user interface"},
    {"ux", "user experience"},
    {"vm", "virtual machine"},
    {"xss", "cross site scripting"},
});

// Forms that no rule of endings brings together.
constexpr auto irregular_table = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"appendices", "appendix"},
    {"bought", "buy"},
    {"broke", "break"},
    {"broken", "break"},
    {"built", "build"},
    {"caught", "catch"},
    {"children", "child"},
    {"chose", "choose"},
    {"chosen", "choose"},
    {"crises", "crisis"},
    {"drawn", "draw"},
    {"drew", "draw"},
    {"driven", "drive"},
    {"fell", "fall"},
    {"forgot", "forget"},
    {"forgotten", "forget"},
    {"frozen", "freeze"},
    {"grew", "grow"},
    {"grown", "grow"},
    {"heard", "hear"},
    {"held", "hold"},
    {"hid", "hide"},
    {"hidden", "hide"},
    {"hypotheses", "hypothesis"},
    {"indexes", "index"},
    {"indices", "index"},
    {"lost", "lose"},
    {"matrices", "matrix"},
    {"paid", "pay"},
    {"ran", "run"},
    {"sent", "send"},
    {"shown", "show"},
    {"slept", "sleep"},
    {"slower", "slow"},
    {"sold", "sell"},
    {"spent", "spend"},
    {"spoke", "speak"},
    {"stolen", "steal"},
    {"stuck", "stick"},
    {"taught", "teach"},
    {"threw", "throw"},
    {"thrown", "throw"},
    {"vertices", "vertex"},
    {"wrote", "write"},
    {"written", "write"},
});

constexpr auto related_table = std::to_array<std::string_view>({
    "stop prevent avoid protect defend mitigate block",
    "fast quick slow speed performance optimize latency",
    "fix solve resolve repair debug troubleshoot",
    "error exception failure fault bug",
    "fail crash outage downtime",
    "answer reply respond",
    "cpu processor",
    "delete remove drop erase",
    "undo revert rollback restore",
    "backup restore recovery",
    "safe secure security",
    "attack attacker hack hacker breach exploit",
    "login signin authentication",
    "password credential secret",
    "cost price cheap expensive budget",
    "monitor observe alert observability",
    "deploy release rollout",
    "test verify validate check",
    "merge combine join",
    "picture image photo",
    "chart graph plot visualize visualization",
    "estimate predict forecast",
    "teach train",
    "store save persist",
    "copy replicate duplicate",
    "split partition shard",
    "missing null empty",
    "setup install configure",
    "phone mobile",
    "site website",
    "mail email",
    "customer client",
    "staff employee worker",
});

using WordSet = std::unordered_set<std::string_view>;

WordSet split(std::string_view list) {
  WordSet out;
  while (!list.empty()) {
    auto const end = list.find(' ');
    out.insert(list.substr(0, end));
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return out;
}

}  // namespace

bool is_stop_word(std::string_view folded) {
  static auto const words = split(stop_words);
  return words.contains(folded);
}

Generality generality_of(std::string_view folded) {
  static auto const common = split(common_words);
  static auto const everyday = split(everyday_words);
  if (common.contains(folded))
    return Generality::common;
  return everyday.contains(folded) ? Generality::everyday : Generality::specific;
}

std::string_view base_form(std::string_view folded) {
  static std::unordered_map<std::string_view, std::string_view> const forms(irregular_table.begin(),
                                                                            irregular_table.end());
  auto const found = forms.find(folded);
  return found == forms.end() ? folded : found->second;
}

std::span<Abbreviation const> abbreviations() { return abbreviation_table; }

std::span<std::string_view const> related_words() { return related_table; }

}  // namespace al::text
